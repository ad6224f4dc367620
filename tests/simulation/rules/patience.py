"""Nobody's time ends early: what a timer ends was due, by the state that asked for it."""

from collections.abc import Iterator

from deploy.doctor.facts import Facts
from schemas.cart import CartStatus
from schemas.order import OrderStatus
from streams.cart.policy import CartPolicy
from streams.order.policy import OrderPolicy
from tables.cart import CART
from tables.order import ORDER
from tests.simulation.rules.rule import Told
from topics import registry as t

SKEW_MS = 60_000
"""Workers' clocks differ by this at the most: one ahead ends a time that another has begun."""

_OVER = frozenset({OrderStatus.CANCELLED, OrderStatus.REFUNDED})
_ON_ITS_WAY = frozenset({OrderStatus.CONFIRMED, OrderStatus.PROCESSING, OrderStatus.SHIPPED})


class Patience:
    """Knows until when each checkout, cart and order may go on."""

    def __init__(self, carts: CartPolicy, orders: OrderPolicy) -> None:
        self._carts = carts
        self._orders = orders
        self._requested: dict[str, int] = {}
        self._deadlines: dict[str, int] = {}

    def take(self, told: Told) -> Iterator[str]:
        """Look at what a timer has ended."""
        name, key = told.topic, told.key
        if name == t.CHECKOUT_REQUESTED.name:
            deadline = told.message.occurred_at + self._carts.checkout_ms
            self._requested.setdefault(told.data.order_id, deadline)
        elif name == t.CHECKOUT_STARTED.name:
            self._deadlines.setdefault(key, told.data.deadline_at)
        elif told.cause is not None and told.cause.topic in {t.CART_DUE.name, t.ORDER_DUE.name}:
            due_at = told.cause.data.due_at
            if name == t.CHECKOUT_FAILED.name:
                ends_at = self._deadlines.get(key, self._requested[key])
            elif name == t.ORDER_CANCELLED.name:
                ends_at = self._deadlines[key]
            elif name == t.CART_ABANDONED.name:
                ends_at = told.data.last_active_at + self._carts.idle_ms
            else:
                return
            if due_at < ends_at:
                yield f"nobody's time ends early: {key} ends {ends_at - due_at} ms before it is due"

    def at_rest(self, facts: Facts) -> Iterator[str]:
        """What may still change is in its table, and what is over has left it."""
        for order_id, history in facts.events.orders.items():
            order = history.newest
            status = OrderStatus(order["status"])
            until = self._kept_until(status, order["updated_at"])
            kept = order_id in facts.tables[ORDER]
            if not kept and (until is None or facts.now + SKEW_MS < until):
                yield f"an order stays in its table while it may change: {order_id} is {status}"
            if kept and status in _OVER and until is not None and until + SKEW_MS < facts.now:
                yield f"what is due is done: {order_id} is {status} and over, but in its table"
        for cart_id, (_, cart) in facts.events.carts.items():
            until = cart["updated_at"] + self._carts.idle_ms if cart["lines"] else None
            waits = cart["status"] == CartStatus.FROZEN or (until is not None and facts.now + SKEW_MS < until)
            if waits and cart_id not in facts.tables[CART]:
                yield f"a cart stays in its table while it may change: {cart_id} is gone"
        for cart_id, state in facts.tables[CART].items():
            idle = state.lines and state.status is not CartStatus.FROZEN and state.pending is None
            if idle and state.updated_at + self._carts.idle_ms + SKEW_MS < facts.now:
                yield f"what is due is done: {cart_id} has idled for too long, and is not abandoned"

    def _kept_until(self, status: OrderStatus, since: int) -> int | None:
        """Return until when (ms) an order is kept, or None where it is kept until something happens."""
        if status in _ON_ITS_WAY:
            return None
        window = status is OrderStatus.DELIVERED
        return since + (self._orders.refund_window_ms if window else self._orders.retention_ms)
