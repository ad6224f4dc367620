"""What of a replay has begun and not ended: pure bookkeeping over the events that end an order."""

from collections import Counter

from schemas.cart import CartRejected
from schemas.codec import UndecodableError
from schemas.order import OrderRejected
from topics.registry import (
    CART_ADD,
    CART_REJECTED,
    CHECKOUT_COMPLETED,
    CHECKOUT_FAILED,
    CHECKOUT_REQUESTED,
    ORDER_REFUNDED,
    ORDER_REJECTED,
    ORDER_RETURN,
    TOPICS,
)
from topics.wire import decode

ENDS = (CHECKOUT_COMPLETED, CHECKOUT_FAILED, ORDER_REFUNDED, ORDER_REJECTED, CART_REJECTED)
_NAMED = 3
_WENT_WELL = frozenset({CHECKOUT_COMPLETED.name, ORDER_REFUNDED.name})


class InFlight:
    """Orders and returns under way, how many went well (`done`), and why the others failed."""

    def __init__(self) -> None:
        self._orders: dict[str, str | None] = {}
        self._carts: dict[str, str] = {}
        self.done = 0
        self.failed: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._orders)

    def waits_for(self) -> str:
        """Return what is under way, for people: the orders that began first, and their number."""
        first = ", ".join(list(self._orders)[:_NAMED])
        return f"{len(self)} orders are under way, the first of them: {first}"

    def expect(self, order_id: str, cart_id: str | None = None) -> None:
        """Take an order or return as begun; its cart may end it too."""
        self._orders[order_id] = cart_id
        if cart_id is not None:
            self._carts[cart_id] = order_id

    def take(self, topic: str, key: str, value: bytes) -> bool:
        """Take a record of one of the `ENDS`; return whether it ended something that was under way."""
        order = self._carts.get(key, key)
        if order not in self._orders:
            return False
        if topic in _WENT_WELL:
            self.done += 1
        elif (reason := _failure(topic, value)) is not None:
            self.failed[reason] += 1
        else:
            return False
        cart = self._orders.pop(order)
        if cart is not None:
            del self._carts[cart]
        return True


def _failure(topic: str, value: bytes) -> str | None:
    """Return why an order ended without success; None where a refusal did not end it."""
    try:
        data = decode(TOPICS[topic], value).data
    except UndecodableError:
        return "undecodable"
    if isinstance(data, CartRejected | OrderRejected):
        # Without a refused line the cart is never complete: its checkout waits for nothing any more.
        ended = data.command in {CART_ADD.name, CHECKOUT_REQUESTED.name, ORDER_RETURN.name}
        return f"{data.reason} ({data.field}: {data.detail})" if ended else None
    return str(getattr(data, "reason", topic))
