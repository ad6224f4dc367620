"""The payment table: one record per order id; sales and returns."""

from enum import IntEnum

import msgspec

from schemas.payment import PaymentOperation, PaymentStatus
from tables.table import Table


class Goal(IntEnum):
    """Where the order wants its payment to be. It only rises, but for a refused refund, which sets it back.

    REFUNDED gives captured money back, so a capture under way is finished first. UNDONE belongs to a
    cancelled order: whatever was taken is given back by the shortest way.
    """

    AUTHORISED = 1
    CAPTURED = 2
    REFUNDED = 3
    UNDONE = 4
    CREDITED = 5


class Pending(msgspec.Struct, frozen=True):
    """An operation whose outcome is not known.

    `attempt` counts instructions from 1. Asked, the gateway has until `due_at` (ms) to answer; not `asked`,
    it was unavailable and is asked again at `due_at`, on behalf of the same `correlation_id`.
    """

    operation: PaymentOperation
    attempt: int
    due_at: int
    asked: bool = True
    correlation_id: str = ""


class Payment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A payment: `amount` in minor units of `currency`.

    `version` starts at the birth's time in ms and grows by one per event. `reference` is the provider's
    latest authorisation or capture. `refusals` counts answers that a repeated request must not meet again:
    it is part of the next idempotency key. `delivered_at` (ms) opens the way out of the table for a
    captured payment.
    """

    status: PaymentStatus
    goal: Goal
    version: int
    changed_at: int
    amount: int = 0
    currency: str = ""
    payment_token: str = ""
    reference: str | None = None
    attempts: int = 0
    reason: str | None = None
    pending: Pending | None = None
    refusals: int = 0
    delivered_at: int | None = None


PAYMENT = Table("payment", Payment)
