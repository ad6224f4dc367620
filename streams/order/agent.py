"""The order agent: one record per order id; it also owns the end of every checkout."""

from functools import partial

from streams.kernel.flow import Flow, Route
from streams.order import commands, decide
from streams.order.settings import OrderSettings
from tables.order import ORDER
from topics.registry import (
    CART_CLEAR,
    CART_RESTORE,
    CHECKOUT_COMPLETED,
    CHECKOUT_FAILED,
    CHECKOUT_STARTED,
    INVENTORY_REJECTED,
    INVENTORY_RESERVED,
    ORDER_ADVANCE,
    ORDER_CANCEL,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_DELIVERED,
    ORDER_DUE,
    ORDER_PLACED,
    ORDER_PROCESSING,
    ORDER_REFUNDED,
    ORDER_REJECTED,
    ORDER_RETURN,
    ORDER_RETURNED,
    ORDER_SHIPPED,
    PAYMENT_CAPTURED,
    PAYMENT_COMPLETED,
    PAYMENT_FAILED,
    PAYMENT_REFUND,
    PAYMENT_REFUNDED,
)

POLICY = OrderSettings().policy()

_CONFIRMED = (ORDER_CONFIRMED, CHECKOUT_COMPLETED, CART_CLEAR)
_CANCELLED = (ORDER_CANCELLED, CHECKOUT_FAILED, CART_RESTORE)
_ADVANCED = (ORDER_PROCESSING, ORDER_SHIPPED, ORDER_DELIVERED, PAYMENT_REFUND)

FLOW = Flow(
    name="order",
    table=ORDER,
    routes=(
        Route(CHECKOUT_STARTED, decide.started, (ORDER_PLACED, CART_CLEAR, CART_RESTORE)),
        Route(INVENTORY_RESERVED, decide.quoted, _CONFIRMED),
        Route(INVENTORY_REJECTED, decide.out_of_stock, _CANCELLED),
        Route(PAYMENT_COMPLETED, decide.authorised, _CONFIRMED),
        Route(PAYMENT_FAILED, decide.payment_failed, (*_CANCELLED, ORDER_REJECTED)),
        Route(PAYMENT_CAPTURED, decide.captured, (ORDER_SHIPPED,)),
        Route(PAYMENT_REFUNDED, decide.refunded, (ORDER_REFUNDED, ORDER_REJECTED)),
        Route(ORDER_CANCEL, partial(commands.cancel, POLICY), (*_CANCELLED, ORDER_REJECTED)),
        Route(ORDER_ADVANCE, partial(commands.advance, POLICY), (*_ADVANCED, ORDER_REJECTED)),
        Route(ORDER_RETURN, partial(commands.take_back, POLICY), (ORDER_RETURNED, ORDER_REJECTED)),
        Route(ORDER_DUE, partial(decide.woken, POLICY), _CANCELLED),
    ),
    due=partial(decide.due, POLICY),
    timer=ORDER_DUE,
    correlation=decide.correlation,
)
