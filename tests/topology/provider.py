"""A gateway and its provider in memory: answers instructions, by token, and keeps the money's books.

| token             | what the provider does                                     |
|-------------------|------------------------------------------------------------|
| `tok_declined`    | declines the authorisation                                 |
| `tok_uncaptured`  | authorises, but declines the capture                       |
| anything else     | approves                                                   |

An idempotency key that comes again gets its first answer. A void of an authorisation that is still to come
forbids it.
"""

from dataclasses import dataclass, field

from schemas.envelope import Message, derived_id
from schemas.payment import PaymentInstruction, PaymentOperation, PaymentOutcome, ProviderOutcome

Op = PaymentOperation


@dataclass
class Account:
    """One order's money at the provider, in minor units."""

    held: int = 0
    captured: int = 0
    given_back: int = 0
    captures: int = 0
    forbidden: bool = False


@dataclass
class Provider:
    """The provider: `up` is whether it answers at all."""

    up: bool = True
    accounts: dict[str, Account] = field(default_factory=dict)
    answers: dict[str, PaymentOutcome] = field(default_factory=dict)

    def answer(self, message: Message[PaymentInstruction]) -> PaymentOutcome:
        """Return the gateway's outcome of one instruction."""
        asked = message.data
        if not self.up:
            return self._outcome(asked, ProviderOutcome.UNAVAILABLE, "outage")
        if asked.idempotency_key not in self.answers:
            account = self.accounts.setdefault(message.aggregate_id, Account())
            refusal = self._refusal(account, asked)
            if refusal is None:
                self._book(account, asked)
            outcome = ProviderOutcome.APPROVED if refusal is None else ProviderOutcome.DECLINED
            self.answers[asked.idempotency_key] = self._outcome(asked, outcome, refusal)
        first = self.answers[asked.idempotency_key]
        return self._outcome(asked, first.outcome, first.reason)

    def _refusal(self, account: Account, asked: PaymentInstruction) -> str | None:
        match asked.operation:
            case Op.AUTHORISE:
                declined = account.forbidden or asked.payment_token == "tok_declined"
                return "card_declined" if declined else None
            case Op.CAPTURE:
                declined = account.held == 0 or asked.payment_token == "tok_uncaptured"
                return "not_captured" if declined else None
            case Op.VOID:
                return "already_captured" if account.captured else None
            case Op.REFUND:
                return None if account.captured > account.given_back else "nothing_captured"
            case Op.CREDIT:
                return None

    def _book(self, account: Account, asked: PaymentInstruction) -> None:
        match asked.operation:
            case Op.AUTHORISE:
                account.held = asked.amount
            case Op.CAPTURE:
                account.held = 0
                account.captured += asked.amount
                account.captures += 1
            case Op.VOID:
                account.held = 0
                account.forbidden = True
            case Op.REFUND | Op.CREDIT:
                account.given_back += asked.amount

    def _outcome(
        self, asked: PaymentInstruction, outcome: ProviderOutcome, reason: str | None
    ) -> PaymentOutcome:
        approved = outcome is ProviderOutcome.APPROVED
        return PaymentOutcome(
            operation=asked.operation,
            idempotency_key=asked.idempotency_key,
            outcome=outcome,
            attempt=asked.attempt,
            provider_reference=derived_id("reference", asked.idempotency_key) if approved else None,
            reason=reason,
        )
