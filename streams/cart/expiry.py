"""What time does to a cart: a request waits too long, a cart idles away, an empty one leaves the table."""

import msgspec

from schemas.cart import CartAbandoned, CartStatus
from schemas.envelope import Message
from schemas.refusal import Refusal
from schemas.service import TimerDue
from streams.breach import Breach
from streams.cart.changes import changed, updated
from streams.cart.checkout import failed
from streams.cart.merging import freed
from streams.cart.policy import CartPolicy
from streams.kernel.flow import Decision, Out
from tables.cart import Cart
from topics.registry import CART_ABANDONED


def due(policy: CartPolicy, state: Cart) -> int | None:
    """Return when (ms) the cart wants to be woken. A frozen one waits for its order, which always ends."""
    if state.status is CartStatus.FROZEN:
        return None
    if state.pending is not None:
        return state.pending.deadline_at
    return state.updated_at + (policy.idle_ms if state.lines else policy.retention_ms)


def correlation(state: Cart) -> str:
    """Return in whose name lines still under way are waited for."""
    return "" if state.pending is None else state.pending.correlation_id


def woken(policy: CartPolicy, state: Cart | None, message: Message[TimerDue]) -> Decision[Cart]:
    """Do what is due; a timer that the cart no longer asks for changes nothing."""
    wanted = None if state is None else due(policy, state)
    if state is None or wanted is None or wanted > message.data.due_at:
        return Decision(state)
    if state.pending is not None:
        wish = state.pending.request
        # The failure counts as a change, so that the cart's idle time starts after it.
        now = max(state.updated_at, message.occurred_at, message.data.due_at)
        cart = msgspec.structs.replace(state, pending=None, updated_at=now)
        detail = f"{len(cart.lines)} of {wish.expected_lines} lines came in time"
        breach = Breach(Refusal.INCOMPLETE_CART, "lines", detail)
        ended = failed(policy, cart, message, wish.order_id, breach)
        assert ended.state is not None, "a failed checkout leaves its cart"
        return freed(ended.state, ended.outputs, message)
    if not state.lines:
        return Decision(None)
    abandoned = CartAbandoned(state.lines, state.user_id, state.updated_at)
    after = changed(state, message, status=CartStatus.EXPIRED, lines=())
    cart_id = message.aggregate_id
    return Decision(
        after,
        (Out(CART_ABANDONED, cart_id, abandoned, after.version, state.user_id), updated(cart_id, after)),
    )
