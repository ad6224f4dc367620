"""Carts: the abandoned ones as rows, the living ones as values of Redis."""

import msgspec

from connectors.redis.value import Value
from schemas.cart import CartAbandoned, CartLine, CartStatus, CartUpdated
from schemas.envelope import Message
from sinks.cart.rows import AbandonedCartRow
from sinks.columns import extra, identifier, instant, json_text, optional_identifier


class CartView(msgspec.Struct, frozen=True):
    """What `cart:{cart_id}` holds, as JSON: the cart's full state and its version. Times are ms."""

    cart_id: str
    version: int
    status: CartStatus
    lines: tuple[CartLine, ...]
    user_id: str | None
    order_id: str | None
    updated_at: int


def cart_key(cart_id: str) -> str:
    """Return the Redis key of a cart."""
    return f"cart:{cart_id}"


def cart_value(message: Message[CartUpdated]) -> tuple[Value]:
    """Return the cart as it stands after the event."""
    data = message.data
    view = CartView(
        cart_id=message.aggregate_id,
        version=message.aggregate_version,
        status=data.status,
        lines=data.lines,
        user_id=data.user_id,
        order_id=data.order_id,
        updated_at=data.updated_at,
    )
    return (Value(cart_key(message.aggregate_id), message.aggregate_version, json_text(view)),)


def abandoned_cart_row(message: Message[CartAbandoned]) -> tuple[AbandonedCartRow]:
    """Return the abandoned cart."""
    data = message.data
    return (
        AbandonedCartRow(
            event_id=identifier("event_id", message.event_id),
            cart_id=identifier("aggregate_id", message.aggregate_id),
            user_id=optional_identifier("user_id", data.user_id),
            lines=json_text(data.lines),
            last_active_at=instant("last_active_at", data.last_active_at),
            abandoned_at=instant("occurred_at", message.occurred_at),
            extra=extra(message),
        ),
    )
