"""What becomes of an order's allocation: pure decisions of its record and one message.

The order's lines are split by SKU; the stocks answer; the answers are joined, and one refusal undoes all.
So does a total that is not the one which the buyer was shown: payment is never asked for another.
Topics overtake each other, so an end may come before its beginning: `order.cancelled` of an unknown order
leaves a marker that keeps the late `order.placed` from reserving, and a reservation that is answered to an
allocation which does not want it (or has left the table) is released.

A refund moves no stock: goods that were shipped come back, if at all, as a return of their own.
"""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from schemas.envelope import Message, derived_id
from schemas.inventory import (
    InventoryCommit,
    InventoryReceive,
    InventoryRejected,
    InventoryRelease,
    InventoryReserve,
    LineRejected,
    LineReserved,
    RequestedLine,
)
from schemas.order import OrderLine, OrderSnapshot
from schemas.refusal import Refusal
from schemas.service import TimerDue
from streams.inventory.allocation.totals import agreed, reserved
from streams.inventory.policy import AllocationPolicy
from streams.kernel.flow import Decision, Out
from tables.inventory.allocation import Allocation, AllocationStatus, Ask
from topics.registry import (
    INVENTORY_COMMIT,
    INVENTORY_RECEIVE,
    INVENTORY_REJECTED,
    INVENTORY_RELEASE,
    INVENTORY_RESERVE,
    INVENTORY_RESERVED,
)

_WANTED = (AllocationStatus.PENDING, AllocationStatus.RESERVED, AllocationStatus.COMMITTED)
# A restocked order's reservation is its commit's to take: a release could overtake that, and undo it twice.
_SETTLED = (*_WANTED, AllocationStatus.RESTOCKED)


class IncompleteOrderError(ValueError):
    """A sale was placed without something that payment will need."""


def place(
    policy: AllocationPolicy, state: Allocation | None, message: Message[OrderSnapshot]
) -> Decision[Allocation]:
    """Ask each SKU's stock for the order's lines of it.

    Raises IncompleteOrderError where the sale names no cart or no payment token.
    """
    if state is not None:
        return Decision(state)
    order_id, order = message.aggregate_id, message.data
    if order.cart_id is None or order.payment_token is None:
        field = "cart_id" if order.cart_id is None else "payment_token"
        raise IncompleteOrderError(f"{message.event_type}: {field} is required, order {order_id} has none")
    ask = Ask(
        cart_id=order.cart_id,
        user_id=order.user_id,
        currency=order.currency,
        charges=order.charges,
        payment_token=order.payment_token,
        line_ids=tuple(line.line_id for line in order.lines),
        consented=order.consented,
    )
    lines: dict[str, list[RequestedLine]] = {}
    for line in order.lines:
        asked = RequestedLine(line.line_id, line.quantity, line.agreed_price, line.incarnation)
        lines.setdefault(line.sku, []).append(asked)
    placed = Allocation(
        AllocationStatus.PENDING, message.occurred_at, quantities=_quantities(order.lines), ask=ask
    )
    asks = tuple(
        Out(INVENTORY_RESERVE, sku, InventoryReserve(order_id, order.currency, tuple(of_sku)))
        for sku, of_sku in lines.items()
    )
    return Decision(placed, asks) if asks else _joined(policy, message, placed, ask)


def line_reserved(
    policy: AllocationPolicy, state: Allocation | None, message: Message[LineReserved]
) -> Decision[Allocation]:
    """Join one SKU's quotes; the last of them completes the reservation."""
    order_id, line = message.aggregate_id, message.data
    if state is None or state.status not in _SETTLED or line.sku not in state.quantities:
        return Decision(state, _releases(order_id, (line.sku,), "not_wanted"))
    if state.ask is None or line.sku in state.ask.quotes:
        return Decision(state)
    ask = replace(state.ask, quotes={**state.ask.quotes, line.sku: line.lines})
    if len(ask.quotes) < len(state.quantities):
        return Decision(replace(state, ask=ask))
    return _joined(policy, message, state, ask)


def line_rejected(state: Allocation | None, message: Message[LineRejected]) -> Decision[Allocation]:
    """Reject the whole order for one SKU, and release all others: those that come late find the marker."""
    line = message.data
    if state is None or state.ask is None or line.sku in state.ask.quotes:
        return Decision(state)
    order_id, version = message.aggregate_id, state.version + 1
    others = (sku for sku in state.quantities if sku != line.sku)
    rejection = InventoryRejected(line.reason, line.sku, line.requested, line.available)
    return Decision(
        _ended(state, AllocationStatus.REJECTED, message.occurred_at, version),
        (
            Out(INVENTORY_REJECTED, order_id, rejection, version),
            *_releases(order_id, others, "rejected"),
        ),
    )


def confirm(state: Allocation | None, message: Message[OrderSnapshot]) -> Decision[Allocation]:
    """Let the reserved goods leave the house."""
    if state is None or state.status is not AllocationStatus.RESERVED:
        return Decision(state)
    commits = tuple(
        Out(INVENTORY_COMMIT, sku, InventoryCommit(message.aggregate_id)) for sku in state.quantities
    )
    return Decision(replace(state, status=AllocationStatus.COMMITTED), commits)


def finish(state: Allocation | None, message: Message[OrderSnapshot]) -> Decision[Allocation]:
    """Note that the order can no longer be cancelled: shipped, delivered or refunded.

    Such an order was confirmed, even where that event is still to come.
    """
    confirmed = confirm(state, message)
    kept = confirmed.state
    if kept is None or kept.status is not AllocationStatus.COMMITTED or kept.ended_at is not None:
        return confirmed
    return Decision(replace(kept, ended_at=message.occurred_at), confirmed.outputs)


def cancel(state: Allocation | None, message: Message[OrderSnapshot]) -> Decision[Allocation]:
    """Give everything back: release what is reserved, take in again what was committed."""
    order_id, at = message.aggregate_id, message.occurred_at
    if state is None:
        return Decision(Allocation(AllocationStatus.RELEASED, at, ended_at=at))
    if state.status is AllocationStatus.COMMITTED:
        restocked = _ended(state, AllocationStatus.RESTOCKED, at, state.version)
        return Decision(restocked, _receipts(order_id, state.quantities, "cancellation"))
    if state.status in _WANTED:
        released = _ended(state, AllocationStatus.RELEASED, at, state.version)
        return Decision(released, _releases(order_id, state.quantities, "cancelled"))
    return Decision(state)


def take_back(state: Allocation | None, message: Message[OrderSnapshot]) -> Decision[Allocation]:
    """Take returned goods in, under receipts derived from the return: each once, however often it is said."""
    if state is not None:
        return Decision(state)
    quantities = _quantities(message.data.lines)
    returned = Allocation(
        AllocationStatus.RETURNED, message.occurred_at, quantities=quantities, ended_at=message.occurred_at
    )
    return Decision(returned, _receipts(message.aggregate_id, quantities, "return"))


def leave(
    policy: AllocationPolicy, state: Allocation | None, message: Message[TimerDue]
) -> Decision[Allocation]:
    """Let an ended allocation leave the table once its retention is over."""
    due = None if state is None else leaves_at(policy, state)
    return Decision(None if due is not None and due <= message.data.due_at else state)


def leaves_at(policy: AllocationPolicy, state: Allocation) -> int | None:
    """Return when (ms) the allocation leaves the table, or None while its order goes on."""
    return None if state.ended_at is None else state.ended_at + policy.retention_ms


def _joined(
    policy: AllocationPolicy, message: Message[Any], state: Allocation, ask: Ask
) -> Decision[Allocation]:
    """Say that all is reserved; give it back where it costs another total than the buyer agreed to."""
    order_id, version = message.aggregate_id, state.version + 1
    said = reserved(ask)
    if not agreed(policy, ask.consented, said.total):
        rejection = InventoryRejected(Refusal.PRICE_CHANGED, "", 0, 0, said.lines)
        return Decision(
            _ended(state, AllocationStatus.REJECTED, message.occurred_at, version),
            (
                Out(INVENTORY_REJECTED, order_id, rejection, version),
                *_releases(order_id, state.quantities, Refusal.PRICE_CHANGED),
            ),
        )
    held = replace(state, status=AllocationStatus.RESERVED, version=version, ask=None)
    return Decision(held, (Out(INVENTORY_RESERVED, order_id, said, version),))


def _ended(state: Allocation, status: AllocationStatus, at: int, version: int) -> Allocation:
    return replace(state, status=status, version=version, ask=None, ended_at=at)


def _quantities(lines: Iterable[OrderLine]) -> dict[str, int]:
    pieces: dict[str, int] = {}
    for line in lines:
        pieces[line.sku] = pieces.get(line.sku, 0) + line.quantity
    return pieces


def _releases(order_id: str, skus: Iterable[str], reason: str) -> tuple[Out[InventoryRelease], ...]:
    return tuple(Out(INVENTORY_RELEASE, sku, InventoryRelease(order_id, reason)) for sku in skus)


def _receipts(order_id: str, quantities: dict[str, int], reason: str) -> tuple[Out[InventoryReceive], ...]:
    return tuple(
        Out(INVENTORY_RECEIVE, sku, InventoryReceive(derived_id(reason, order_id, sku), pieces, reason))
        for sku, pieces in quantities.items()
    )
