"""Translates an invoice into the messages that make it happen on the platform.

Every id is derived from the invoice's number, so a replay that is repeated repeats its messages exactly.
"""

import time
from collections.abc import Iterator
from typing import Any

import msgspec

from connectors.retail.classify import EXPLANATIONS, Charged, Rejected
from connectors.retail.identity import cart_id, command_id, order_id, row_id, user_id
from connectors.retail.invoices import Invoice
from schemas.bounds import SHORT
from schemas.cart import CartAdd, CartLine
from schemas.checkout import Address, Charge, CheckoutRequested
from schemas.envelope import Message
from schemas.order import OrderLine, OrderReturn
from topics import dead_letter
from topics.command import command
from topics.registry import CART_ADD, CHECKOUT_REQUESTED, DEAD_LETTERS, ORDER_RETURN
from topics.topic import RawTopic, Topic

SOURCE = "import"
PAYMENT_TOKEN = "tok_visa"  # noqa: S105 - the simulated provider's name for a card that is accepted
LINES_PER_ADD = 100


class Outgoing(msgspec.Struct, frozen=True):
    """A message on its way to a topic, under a key."""

    topic: Topic[Any]
    key: str
    message: Message[Any]


class Letter(msgspec.Struct, frozen=True):
    """A rejected row on its way to the dead letters: its fields as JSON, and headers that say why."""

    topic: RawTopic
    key: bytes
    value: bytes
    headers: dict[str, str]


def messages(invoice: Invoice, currency: str) -> Iterator[Outgoing]:
    """Return an invoice's commands: a cart filled and checked out, or a return; none if all is rejected."""
    if not invoice.accepted:
        return
    if invoice.returned:
        yield _return(invoice, currency)
        return
    yield from _adds(invoice)
    yield _checkout(invoice, currency)


def letters(invoice: Invoice, file: str) -> Iterator[Letter]:
    """Return the dead letters of an invoice's rejected rows; `file` names the file they stand in."""
    for rejected in invoice.rejected:
        yield Letter(
            topic=DEAD_LETTERS["import"],
            key=invoice.number.encode(),
            value=msgspec.json.encode(rejected.row),
            headers=_headers(invoice, rejected, file),
        )


def _adds(invoice: Invoice) -> Iterator[Outgoing]:
    lines = [
        CartLine(
            line_id=str(line.ordinal), sku=line.sku, quantity=line.quantity, agreed_price=line.unit_price
        )
        for line in invoice.goods
    ]
    for first in range(0, len(lines), LINES_PER_ADD):
        data = CartAdd(lines=tuple(lines[first : first + LINES_PER_ADD]))
        yield _outgoing(invoice, CART_ADD, cart_id(invoice.number), data, f"add-{first}")


def _checkout(invoice: Invoice, currency: str) -> Outgoing:
    data = CheckoutRequested(
        order_id=order_id(invoice.number),
        currency=currency,
        payment_token=PAYMENT_TOKEN,
        address=_address(invoice),
        charges=_charges(invoice.charges),
        expected_lines=len(invoice.goods),
        placed_at=invoice.placed_at,
    )
    return _outgoing(invoice, CHECKOUT_REQUESTED, cart_id(invoice.number), data, "checkout")


def _return(invoice: Invoice, currency: str) -> Outgoing:
    data = OrderReturn(
        currency=currency,
        lines=tuple(
            OrderLine(
                line_id=str(line.ordinal),
                sku=line.sku,
                quantity=line.quantity,
                name=line.description,
                unit_price=line.unit_price,
                agreed_price=line.unit_price,
            )
            for line in invoice.goods
        ),
        charges=_charges(invoice.charges),
        payment_token=PAYMENT_TOKEN,
        address=_address(invoice),
        placed_at=invoice.placed_at,
        reason="returned",
    )
    return _outgoing(invoice, ORDER_RETURN, order_id(invoice.number), data, "return")


def _charges(charges: tuple[Charged, ...]) -> tuple[Charge, ...]:
    return tuple(
        Charge(code=c.code, description=c.description, quantity=c.quantity, amount=c.unit_price)
        for c in charges
    )


def _address(invoice: Invoice) -> Address:
    name = f"Customer {invoice.customer_id}"[: SHORT.most] if invoice.customer_id else "Guest"
    return Address(name=name, country=invoice.country)


def _outgoing(invoice: Invoice, topic: Topic[Any], key: str, data: msgspec.Struct, step: str) -> Outgoing:
    message = command(
        topic,
        key,
        data,
        event_id=command_id(invoice.number, step),
        correlation_id=order_id(invoice.number),
        user_id=user_id(invoice.customer_id) if invoice.customer_id else None,
        source=SOURCE,
    )
    return Outgoing(topic, key, message)


def _headers(invoice: Invoice, rejected: Rejected, file: str) -> dict[str, str]:
    return {
        dead_letter.ID: row_id(invoice.number, rejected.ordinal),
        dead_letter.CONSUMER: SOURCE,
        dead_letter.REASON: rejected.reason.value,
        dead_letter.ERROR: EXPLANATIONS[rejected.reason],
        dead_letter.ATTEMPT: "1",
        dead_letter.FAILED_AT: str(time.time_ns() // 1_000_000),
        "file": file,
        "row": str(rejected.row.number),
    }
