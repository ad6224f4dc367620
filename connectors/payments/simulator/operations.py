"""What each operation does to an order's money; every rule that the provider keeps.

A void names the order, as its merchant reference: it also settles an authorisation that has not arrived, and
forbids it from then on ("void before authorise").
"""

import time
from typing import Literal
from uuid import uuid4

from msgspec.structs import replace

from connectors.payments.simulator.cards import DECLINES, Behaviour
from connectors.payments.simulator.ledger import Card, Held, Ledger, Operation
from connectors.payments.simulator.models import (
    Answer,
    AuthorisationRequest,
    CaptureRequest,
    CreditRequest,
    RefundRequest,
    VoidRequest,
)
from connectors.payments.simulator.problems import ProviderProblemError, invalid


def card_of(ledger: Ledger, token: str) -> Card:
    """Return the card behind a token; raises ProviderProblemError where there is none."""
    card = ledger.card(token)
    if card is None:
        raise invalid("payment_token", "unknown_token", "no card was exchanged for it")
    return card


def authorise(ledger: Ledger, asked: AuthorisationRequest) -> Answer:
    """Hold the amount, unless the card or an earlier void says no, or the token is another order's."""
    card = card_of(ledger, asked.payment_token)
    if card.order_id not in (None, asked.order_id):
        raise ProviderProblemError(409, "token_used", "the token pays for another order")
    if card.order_id is None:
        ledger.bind(asked.payment_token, asked.order_id)
    held = ledger.payment(asked.order_id) or Held()
    if held.authorisation_id is not None and not held.voided:
        raise ProviderProblemError(
            409, "already_authorised", "the order has an authorisation", reference=held.authorisation_id
        )
    reason = "voided" if held.voided else card.behaviour if card.behaviour in DECLINES else None
    identity = f"auth_{uuid4().hex}"
    seen = replace(held, currency=asked.currency, behaviour=card.behaviour, last4=card.last4)
    after = replace(seen, authorised=asked.amount, authorisation_id=identity)
    return _done(ledger, asked, "authorise", identity, seen if reason else after, reason, asked.amount)


def capture(ledger: Ledger, asked: CaptureRequest) -> Answer:
    """Take the authorised amount, once."""
    held = ledger.payment(asked.order_id)
    if held is None or held.authorisation_id != asked.authorisation_id:
        raise ProviderProblemError(404, "unknown_authorisation", "the order has no such authorisation")
    if held.captured:
        raise ProviderProblemError(
            409, "already_captured", "the authorisation is captured", reference=held.capture_id
        )
    if asked.currency != held.currency:
        raise invalid("currency", "currency_mismatch", f"authorised in {held.currency}")
    if asked.amount > held.authorised:
        raise invalid("amount", "amount_exceeds_authorised", f"{held.authorised} is authorised")
    reason = "voided" if held.voided else None
    if reason is None and held.behaviour is Behaviour.CAPTURE_FAILS:
        reason = held.behaviour
    identity = f"capture_{uuid4().hex}"
    after = replace(held, captured=asked.amount, capture_id=identity)
    return _done(ledger, asked, "capture", identity, held if reason else after, reason, asked.amount)


def void(ledger: Ledger, asked: VoidRequest) -> Answer:
    """Let the authorisation go and forbid any other of this order; what is captured cannot be voided."""
    held = ledger.payment(asked.order_id) or Held()
    if held.captured:
        raise ProviderProblemError(
            409, "already_captured", "what is captured can be refunded", reference=held.capture_id
        )
    if asked.authorisation_id is not None and held.authorisation_id != asked.authorisation_id:
        raise ProviderProblemError(404, "unknown_authorisation", "the order has no such authorisation")
    identity = f"void_{uuid4().hex}"
    return _done(ledger, asked, "void", identity, replace(held, voided=True), None, held.authorised)


def refund(ledger: Ledger, asked: RefundRequest) -> Answer:
    """Give captured money back, never more than was taken."""
    held = ledger.payment(asked.order_id)
    if held is None or held.capture_id != asked.capture_id:
        raise ProviderProblemError(404, "unknown_capture", "the order has no such capture")
    if asked.currency != held.currency:
        raise invalid("currency", "currency_mismatch", f"captured in {held.currency}")
    left = held.captured - held.refunded
    if asked.amount > left:
        raise invalid("amount", "amount_exceeds_captured", f"{left} is left to refund")
    after = replace(held, refunded=held.refunded + asked.amount)
    return _done(ledger, asked, "refund", f"refund_{uuid4().hex}", after, None, asked.amount)


def credit(ledger: Ledger, asked: CreditRequest) -> Answer:
    """Give money to a card."""
    card = card_of(ledger, asked.payment_token)
    held = ledger.payment(asked.order_id) or Held()
    reason = card.behaviour if card.behaviour in DECLINES else None
    seen = replace(held, currency=asked.currency, behaviour=card.behaviour, last4=card.last4)
    after = replace(seen, credited=seen.credited + asked.amount)
    identity = f"credit_{uuid4().hex}"
    return _done(ledger, asked, "credit", identity, seen if reason else after, reason, asked.amount)


def _done(  # noqa: PLR0917 - one row of the ledger
    ledger: Ledger,
    asked: AuthorisationRequest | CaptureRequest | VoidRequest | RefundRequest | CreditRequest,
    operation: str,
    identity: str,
    after: Held,
    reason: str | None,
    amount: int,
) -> Answer:
    outcome: Literal["approved", "declined"] = "approved" if reason is None else "declined"
    ledger.keep(asked.order_id, after)
    at = time.time_ns() // 1_000_000
    ledger.record(asked.order_id, Operation(identity, operation, amount, outcome, reason, at))
    return Answer(id=identity, order_id=asked.order_id, operation=operation, outcome=outcome, reason=reason)
