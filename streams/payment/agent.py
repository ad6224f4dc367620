"""The payment agent: one record per order id; its side effects are the gateway's."""

from functools import partial

from streams.kernel.flow import Flow, Route
from streams.payment import decide
from streams.payment.settings import PaymentSettings
from tables.payment import PAYMENT
from topics.registry import (
    INVENTORY_RESERVED,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_DELIVERED,
    ORDER_RETURNED,
    PAYMENT_CAPTURED,
    PAYMENT_COMPLETED,
    PAYMENT_DUE,
    PAYMENT_FAILED,
    PAYMENT_INSTRUCT,
    PAYMENT_OUTCOME,
    PAYMENT_REFUND,
    PAYMENT_REFUNDED,
    PAYMENT_VOIDED,
)

POLICY = PaymentSettings().policy()

_ANSWERED = (
    PAYMENT_COMPLETED,
    PAYMENT_CAPTURED,
    PAYMENT_VOIDED,
    PAYMENT_REFUNDED,
    PAYMENT_FAILED,
    PAYMENT_INSTRUCT,
)

FLOW = Flow(
    name="payment",
    table=PAYMENT,
    routes=(
        Route(
            INVENTORY_RESERVED,
            partial(decide.authorise, POLICY),
            (PAYMENT_INSTRUCT, PAYMENT_COMPLETED, PAYMENT_FAILED),
        ),
        Route(PAYMENT_OUTCOME, partial(decide.settle, POLICY), _ANSWERED),
        Route(ORDER_CONFIRMED, partial(decide.capture, POLICY), (PAYMENT_INSTRUCT, PAYMENT_CAPTURED)),
        Route(
            ORDER_CANCELLED,
            partial(decide.undo, POLICY),
            (PAYMENT_INSTRUCT, PAYMENT_VOIDED, PAYMENT_REFUNDED),
        ),
        Route(ORDER_DELIVERED, partial(decide.deliver, POLICY), (PAYMENT_INSTRUCT, PAYMENT_CAPTURED)),
        Route(
            ORDER_RETURNED,
            partial(decide.credit, POLICY),
            (PAYMENT_INSTRUCT, PAYMENT_REFUNDED, PAYMENT_FAILED),
        ),
        Route(
            PAYMENT_REFUND,
            partial(decide.refund, POLICY),
            (PAYMENT_INSTRUCT, PAYMENT_CAPTURED, PAYMENT_REFUNDED),
        ),
        Route(PAYMENT_DUE, partial(decide.woken, POLICY), (PAYMENT_INSTRUCT,)),
    ),
    due=partial(decide.due, POLICY),
    timer=PAYMENT_DUE,
    correlation=decide.correlation,
)
