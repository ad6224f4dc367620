"""One move of an order: the new state, and the event that says so."""

from typing import Any

import msgspec

from schemas.cart import CartClear, CartRestore
from schemas.checkout import CheckoutCompleted, CheckoutFailed, CheckoutStarted
from schemas.envelope import Message
from schemas.order import OrderRejected, OrderSnapshot, OrderStatus
from schemas.refusal import Refusal
from streams.checkout import END
from streams.kernel.flow import Decision, Out
from streams.order.machine import EVENTS
from tables.order import Order
from topics.registry import (
    CART_CLEAR,
    CART_RESTORE,
    CHECKOUT_COMPLETED,
    CHECKOUT_FAILED,
    ORDER_ADVANCE,
    ORDER_REJECTED,
)


def event(key: str, order: Order) -> Out[OrderSnapshot]:
    """Return the event that states what the order is now."""
    snapshot = order.snapshot
    return Out(EVENTS[snapshot.status], key, snapshot, order.version, snapshot.user_id)


def moved(order: Order, message: Message[msgspec.Struct], status: OrderStatus, **given: Any) -> Order:
    """Return the order in its next state; `given` are further fields of its snapshot."""
    changes = {"command_id": None, **given}
    now = max(order.snapshot.updated_at, message.occurred_at)
    snapshot = msgspec.structs.replace(order.snapshot, status=status, updated_at=now, **changes)
    return msgspec.structs.replace(order, snapshot=snapshot, version=order.version + 1)


def confirmed(order: Order, message: Message[msgspec.Struct]) -> Decision[Order]:
    """End the checkout well: the order stands, and the cart is cleared."""
    order_id = message.aggregate_id
    after = moved(order, message, OrderStatus.CONFIRMED)
    cart_id, now = _cart_of(after), after.snapshot
    completed = CheckoutCompleted(cart_id, now.total, now.currency)
    return Decision(
        after,
        (
            event(order_id, after),
            Out(CHECKOUT_COMPLETED, order_id, completed, END, now.user_id),
            Out(CART_CLEAR, cart_id, CartClear(order_id), user_id=now.user_id),
        ),
    )


def cancelled(
    order: Order, message: Message[msgspec.Struct], reason: str, detail: str, sku: str | None = None
) -> Decision[Order]:
    """Cancel; an order that was not yet confirmed ends its checkout so, and gives the cart back."""
    order_id = message.aggregate_id
    after = moved(order, message, OrderStatus.CANCELLED, reason=reason, detail=detail, sku=sku)
    after = msgspec.structs.replace(after, shipment=None, refunding=False, refund_command=None)
    if order.snapshot.status is not OrderStatus.PLACED:
        why = "the order was cancelled before it could be shipped"
        return Decision(after, (event(order_id, after), *called_off(order, after, order_id, why)))
    cart_id, user_id = _cart_of(after), after.snapshot.user_id
    failed = CheckoutFailed(cart_id, reason, detail, sku)
    return Decision(
        after,
        (
            event(order_id, after),
            Out(CHECKOUT_FAILED, order_id, failed, END, user_id),
            Out(CART_RESTORE, cart_id, CartRestore(order_id, reason), user_id=user_id),
        ),
    )


def called_off(order: Order, after: Order, key: str, why: str) -> tuple[Out[OrderRejected], ...]:
    """Tell whoever asked for the shipment that `order` was waiting with that it does not come, if anybody."""
    if order.shipment is None or order.shipment.command_id is None:
        return ()
    refusal = OrderRejected(
        ORDER_ADVANCE.name,
        Refusal.SHIPMENT_CALLED_OFF,
        "status",
        why,
        after.snapshot.status,
        order.shipment.command_id,
    )
    return (Out(ORDER_REJECTED, key, refusal, after.version),)


def started_again(order: Order, message: Message[CheckoutStarted]) -> Decision[Order]:
    """Answer a checkout that names a known order: its cart must not stay frozen for ever.

    Where the order is still placed its end will open the cart. Where it has ended, that end is told again;
    a cart that is not frozen for the order ignores it.
    """
    order_id, cart_id = message.aggregate_id, message.data.cart_id
    status = order.snapshot.status
    if cart_id != order.snapshot.cart_id:
        return Decision(order, (Out(CART_RESTORE, cart_id, CartRestore(order_id, "order_exists")),))
    if status is OrderStatus.PLACED:
        return Decision(order)
    if status is OrderStatus.CANCELLED:
        return Decision(order, (Out(CART_RESTORE, cart_id, CartRestore(order_id, "order_cancelled")),))
    return Decision(order, (Out(CART_CLEAR, cart_id, CartClear(order_id)),))


def _cart_of(order: Order) -> str:
    cart_id = order.snapshot.cart_id
    assert cart_id is not None, "only a checkout places an order"
    return cart_id
