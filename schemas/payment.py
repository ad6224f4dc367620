"""Payments; all keyed by order id. Amounts are minor units of `currency`."""

from enum import StrEnum

import msgspec

from schemas.bounds import Reference, ShortText


class PaymentOperation(StrEnum):
    """What the provider is asked to do."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"
    CREDIT = "credit"


class PaymentStatus(StrEnum):
    """Where a payment stands. `credited` is money given back without an earlier capture (a return)."""

    PENDING = "pending"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    VOIDED = "voided"
    REFUNDED = "refunded"
    CREDITED = "credited"
    FAILED = "failed"


class ProviderOutcome(StrEnum):
    """What the provider answered; `unavailable` when it did not (outage, time-out, open circuit)."""

    APPROVED = "approved"
    DECLINED = "declined"
    UNAVAILABLE = "unavailable"


class PaymentInstruction(msgspec.Struct, frozen=True):
    """An instruction to the payment gateway.

    The provider sees `idempotency_key`, the same for every attempt at the same operation.
    `provider_reference` is the authorisation or capture that capture, void and refund refer to.
    """

    operation: PaymentOperation
    idempotency_key: Reference
    amount: int
    currency: ShortText
    payment_token: Reference
    attempt: int
    provider_reference: Reference | None = None


class PaymentOutcome(msgspec.Struct, frozen=True):
    """The gateway's answer to one instruction."""

    operation: PaymentOperation
    idempotency_key: str
    outcome: ProviderOutcome
    attempt: int
    provider_reference: str | None = None
    reason: str | None = None


class PaymentRefund(msgspec.Struct, frozen=True):
    """Compensation or return: give the order's captured payment back."""

    reason: ShortText


class PaymentSnapshot(msgspec.Struct, frozen=True):
    """The payment's full public state after a change: the data of every payment event."""

    status: PaymentStatus
    amount: int
    currency: str
    provider_reference: str | None
    attempts: int
    reason: str | None = None
