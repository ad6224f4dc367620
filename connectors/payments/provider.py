"""What the gateway asks of any payment provider."""

from typing import Protocol

import msgspec

from schemas.payment import PaymentInstruction, ProviderOutcome


class Answer(msgspec.Struct, frozen=True):
    """A provider's answer to an instruction; `unavailable` says that its effect is unknown."""

    outcome: ProviderOutcome
    reference: str | None = None
    reason: str | None = None


class PaymentProvider(Protocol):
    """A payment provider.

    The same idempotency key has one effect, whatever happens between the attempts. A void names the order
    and settles its authorisation whether that has arrived or not: one that arrives later is declined. A void
    of what is captured is declined with the reason `already_captured` and the capture's reference.
    """

    async def perform(self, order_id: str, instruction: PaymentInstruction) -> Answer:
        """Carry the instruction out. Never raises for what a provider or a network may do."""
