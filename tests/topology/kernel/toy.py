"""A toy flow over real topics: counts the pieces that are added to a cart, and times out when idle."""

import msgspec

from schemas.cart import (
    CartAbandoned,
    CartAbsorb,
    CartAdd,
    CartChange,
    CartClear,
    CartLine,
    CartRemove,
    CartStatus,
    CartUpdated,
)
from schemas.envelope import Message
from schemas.service import TimerDue
from streams.kernel.errors import TransientError
from streams.kernel.flow import Decision, Flow, Out, Route
from tables.table import Table
from topics.registry import (
    CART_ABANDONED,
    CART_ABSORB,
    CART_ADD,
    CART_CHANGE,
    CART_CLEAR,
    CART_DUE,
    CART_REMOVE,
    CART_UPDATED,
)

IDLE_MS = 1_000


class Count(msgspec.Struct, frozen=True):
    pieces: int
    version: int
    due_at: int | None = None


COUNTS = Table("cart", Count)


class Flaky:
    """Makes CART_CHANGE fail that many times with a transient error."""

    times = 0


def add(state: Count | None, message: Message[CartAdd]) -> Decision[Count]:
    before = state or Count(0, 0)
    pieces = before.pieces + sum(line.quantity for line in message.data.lines)
    after = Count(pieces, before.version + 1, message.occurred_at + IDLE_MS)
    line = CartLine("total", "total", pieces)
    updated = CartUpdated(CartStatus.OPEN, (line,), message.user_id, None, message.occurred_at)
    return Decision(after, (Out(CART_UPDATED, message.aggregate_id, updated, after.version),))


def change(state: Count | None, _: Message[CartChange]) -> Decision[Count]:
    if Flaky.times > 0:
        Flaky.times -= 1
        raise TransientError("try again")
    return Decision(state)


def remove(_: Count | None, message: Message[CartRemove]) -> Decision[Count]:
    raise ZeroDivisionError(message.data.line_id)


def clear(_: Count | None, __: Message[CartClear]) -> Decision[Count]:
    return Decision(None)


def absorb(state: Count | None, message: Message[CartAbsorb]) -> Decision[Count]:
    """Emits what its route does not declare."""
    return Decision(state, (Out(CART_ABANDONED, message.aggregate_id, CartAbandoned((), None, 0)),))


def due(state: Count | None, message: Message[TimerDue]) -> Decision[Count]:
    if state is None or state.due_at != message.data.due_at:
        return Decision(state)
    gone = CartAbandoned((), None, message.data.due_at)
    return Decision(
        Count(state.pieces, state.version + 1, None), (Out(CART_ABANDONED, message.aggregate_id, gone),)
    )


FLOW: Flow[Count] = Flow(
    name="toy",
    table=COUNTS,
    routes=(
        Route(CART_ADD, add, (CART_UPDATED,)),
        Route(CART_CHANGE, change),
        Route(CART_REMOVE, remove),
        Route(CART_CLEAR, clear),
        Route(CART_ABSORB, absorb),
        Route(CART_DUE, due, (CART_ABANDONED,)),
    ),
    due=lambda state: state.due_at,
    timer=CART_DUE,
)


def pieces(count: int) -> CartAdd:
    return CartAdd((CartLine("line", "sku", count),))
