"""Orders and what they hear, as the tests of the order say it."""

from typing import Any

from schemas.cart import CartLine
from schemas.checkout import Charge, CheckoutStarted
from schemas.envelope import Message
from schemas.inventory import InventoryRejected, InventoryReserved, QuotedLine
from schemas.order import OrderAdvance, OrderCancel, OrderLine, OrderRejected, OrderReturn, OrderStatus
from schemas.payment import PaymentSnapshot, PaymentStatus
from streams.kernel.flow import Decision
from streams.order.agent import FLOW
from streams.order.policy import OrderPolicy
from tables.order import Order
from tests.unit.streams.said import T0, only, said, sent
from topics.registry import (
    CHECKOUT_STARTED,
    INVENTORY_REJECTED,
    INVENTORY_RESERVED,
    ORDER_ADVANCE,
    ORDER_CANCEL,
    ORDER_REJECTED,
    ORDER_RETURN,
    PAYMENT_CAPTURED,
    PAYMENT_COMPLETED,
    PAYMENT_FAILED,
    PAYMENT_REFUNDED,
)

POLICY = OrderPolicy()
ORDER_ID = "order-1"
CART_ID = "cart-1"
DEADLINE = T0 + 900_000
POSTAGE = Charge("POST", "Postage", 2, 400)
ROUTES = {route.topic.name: route for route in FLOW.routes}


def begun(cart_id: str = CART_ID, user_id: str | None = "ann", **more: Any) -> Message[CheckoutStarted]:
    data = CheckoutStarted(
        cart_id=cart_id,
        user_id=user_id,
        currency="GBP",
        lines=(CartLine("1", "A", 2), CartLine("2", "B", 1, agreed_price=90)),
        charges=(POSTAGE,),
        payment_token="tok_visa",
        email="ann@example.org",
        address=None,
        placed_at=T0 - 1,
        deadline_at=DEADLINE,
    )
    return said(CHECKOUT_STARTED, ORDER_ID, data, user_id=user_id, **more)


def reserved(**more: Any) -> Message[InventoryReserved]:
    data = InventoryReserved(
        cart_id=CART_ID,
        user_id="ann",
        currency="GBP",
        lines=(QuotedLine("2", "B", "Bell", 1, 90), QuotedLine("1", "A", "Lantern", 2, 255)),
        charges=(POSTAGE,),
        goods=600,
        charged=800,
        total=1400,
        payment_token="tok_visa",
    )
    return said(INVENTORY_RESERVED, ORDER_ID, data, **more)


def rejected(**more: Any) -> Message[InventoryRejected]:
    return said(INVENTORY_REJECTED, ORDER_ID, InventoryRejected("out_of_stock", "A", 2, 1), **more)


def paid(status: PaymentStatus, reason: str | None = None, **more: Any) -> Message[PaymentSnapshot]:
    topic = {
        PaymentStatus.AUTHORISED: PAYMENT_COMPLETED,
        PaymentStatus.CAPTURED: PAYMENT_CAPTURED,
        PaymentStatus.REFUNDED: PAYMENT_REFUNDED,
        PaymentStatus.CREDITED: PAYMENT_REFUNDED,
        PaymentStatus.FAILED: PAYMENT_FAILED,
    }[status]
    return said(topic, ORDER_ID, PaymentSnapshot(status, 1400, "GBP", "ref", 1, reason), **more)


def cancelling(user_id: str | None = "ann", *, staff: bool = False, **more: Any) -> Message[OrderCancel]:
    return said(ORDER_CANCEL, ORDER_ID, OrderCancel("changed my mind", staff), user_id=user_id, **more)


def advancing(status: OrderStatus, tracking: str | None = None, **more: Any) -> Message[OrderAdvance]:
    name = more.pop("name", status)
    return said(ORDER_ADVANCE, ORDER_ID, OrderAdvance(status, tracking), name=name, user_id="staff", **more)


def returning(*lines: OrderLine, charges: tuple[Charge, ...] = (), **more: Any) -> Message[OrderReturn]:
    data = OrderReturn(
        "GBP", lines, charges, "tok_visa", placed_at=more.pop("placed_at", None), reason="broken"
    )
    return said(ORDER_RETURN, ORDER_ID, data, user_id="ann", **more)


def hear(state: Order | None, *messages: Message[Any]) -> Decision[Order]:
    """Return the decision on the last of the messages."""
    decision = Decision(state)
    for message in messages:
        decision = ROUTES[message.event_type].handler(decision.state, message)
    return decision


def after(*messages: Message[Any]) -> Order:
    state = hear(None, *messages).state
    assert state is not None
    return state


def placed() -> Order:
    return after(begun())


def confirmed() -> Order:
    return after(begun(), reserved(), paid(PaymentStatus.AUTHORISED))


def shipped() -> Order:
    return after(
        begun(),
        reserved(),
        paid(PaymentStatus.AUTHORISED),
        paid(PaymentStatus.CAPTURED),
        advancing(OrderStatus.PROCESSING),
        advancing(OrderStatus.SHIPPED, "1Z999"),
    )


def refusal(decision: Decision[Order]) -> OrderRejected:
    assert sent(decision) == [ORDER_REJECTED]
    return only(decision, ORDER_REJECTED).data
