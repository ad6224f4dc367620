"""Payments: what an order asks for, what the gateway is told, and what came of it. Keyed by order id."""

from schemas import payment, service
from topics.topic import WEEK, Kind, Topic

PAYMENT_REFUND = Topic(
    "ecommerce.payment.refund", payment.PaymentRefund, "order_id", Kind.COMMAND, "payment", WEEK, inner=True
)
PAYMENT_INSTRUCT = Topic(
    "ecommerce.payment.instruct", payment.PaymentInstruction, "order_id", Kind.COMMAND, "payment", WEEK
)
PAYMENT_OUTCOME = Topic(
    "ecommerce.payment.outcome", payment.PaymentOutcome, "order_id", Kind.EVENT, "payment", WEEK
)
PAYMENT_DUE = Topic("ecommerce.payment.due", service.TimerDue, "order_id", Kind.TIMER, "payment", WEEK)
PAYMENT_COMPLETED = Topic(
    "ecommerce.payment.completed", payment.PaymentSnapshot, "order_id", Kind.EVENT, "payment"
)
PAYMENT_FAILED = Topic("ecommerce.payment.failed", payment.PaymentSnapshot, "order_id", Kind.EVENT, "payment")
PAYMENT_CAPTURED = Topic(
    "ecommerce.payment.captured", payment.PaymentSnapshot, "order_id", Kind.EVENT, "payment"
)
PAYMENT_VOIDED = Topic("ecommerce.payment.voided", payment.PaymentSnapshot, "order_id", Kind.EVENT, "payment")
PAYMENT_REFUNDED = Topic(
    "ecommerce.payment.refunded", payment.PaymentSnapshot, "order_id", Kind.EVENT, "payment"
)

PAYMENT_EVENTS = (PAYMENT_COMPLETED, PAYMENT_FAILED, PAYMENT_CAPTURED, PAYMENT_VOIDED, PAYMENT_REFUNDED)
"""What tells how a payment stands: each has the whole payment as it is then."""
