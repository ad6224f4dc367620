"""A payment's course, as data: which operation leads from where it stands to where its order wants it."""

from schemas.payment import PaymentOperation, PaymentSnapshot, PaymentStatus
from tables.payment import Goal, Payment
from topics.registry import (
    PAYMENT_CAPTURED,
    PAYMENT_COMPLETED,
    PAYMENT_REFUNDED,
    PAYMENT_VOIDED,
)
from topics.topic import Topic

_COURSE: dict[tuple[PaymentStatus, Goal], PaymentOperation] = {
    (PaymentStatus.PENDING, Goal.AUTHORISED): PaymentOperation.AUTHORISE,
    (PaymentStatus.PENDING, Goal.CAPTURED): PaymentOperation.AUTHORISE,
    # The authorisation's outcome is unknown: the void also forbids one that is still to come.
    (PaymentStatus.PENDING, Goal.UNDONE): PaymentOperation.VOID,
    (PaymentStatus.PENDING, Goal.CREDITED): PaymentOperation.CREDIT,
    (PaymentStatus.AUTHORISED, Goal.CAPTURED): PaymentOperation.CAPTURE,
    (PaymentStatus.AUTHORISED, Goal.REFUNDED): PaymentOperation.CAPTURE,
    (PaymentStatus.AUTHORISED, Goal.UNDONE): PaymentOperation.VOID,
    (PaymentStatus.CAPTURED, Goal.REFUNDED): PaymentOperation.REFUND,
    (PaymentStatus.CAPTURED, Goal.UNDONE): PaymentOperation.REFUND,
}

REACHED: dict[PaymentOperation, tuple[PaymentStatus, Topic[PaymentSnapshot]]] = {
    PaymentOperation.AUTHORISE: (PaymentStatus.AUTHORISED, PAYMENT_COMPLETED),
    PaymentOperation.CAPTURE: (PaymentStatus.CAPTURED, PAYMENT_CAPTURED),
    PaymentOperation.VOID: (PaymentStatus.VOIDED, PAYMENT_VOIDED),
    PaymentOperation.REFUND: (PaymentStatus.REFUNDED, PAYMENT_REFUNDED),
    PaymentOperation.CREDIT: (PaymentStatus.CREDITED, PAYMENT_REFUNDED),
}
"""Where an approved operation leads, and the event that says so."""

FINAL = frozenset(
    {PaymentStatus.VOIDED, PaymentStatus.REFUNDED, PaymentStatus.CREDITED, PaymentStatus.FAILED}
)


def next_operation(payment: Payment) -> PaymentOperation | None:
    """Return the operation to ask for, or None where the payment is where its order wants it."""
    return _COURSE.get((payment.status, payment.goal))
