"""What becomes of a SKU's stock: pure decisions of its record and one message.

Quantities are pieces. Every movement is followed by `inventory.updated` with the full level; a refused or
repeated command moves nothing and is followed by none. An order that is done with the SKU leaves a marker,
so that its messages have no effect when they come late or twice; above all, a release that overtakes its
reserve.
"""

from typing import Any

from msgspec.structs import replace

from schemas.envelope import Message
from schemas.inventory import (
    InventoryAdjust,
    InventoryCommit,
    InventoryLowStock,
    InventoryReceive,
    InventoryRefused,
    InventoryRelease,
    InventoryReserve,
    InventoryUpdated,
    LineRejected,
    LineReserved,
    Movement,
    MovementKind,
    StockLevel,
)
from schemas.product import ProductSnapshot
from schemas.refusal import BY_TEXT, Refusal
from schemas.service import TimerDue
from streams.breach import Breach
from streams.inventory.policy import StockPolicy
from streams.inventory.stock.applied import Answered, answered, digits, entry
from streams.inventory.stock.markers import held, marked, settlement, swept
from streams.inventory.stock.quote import quote, refusal
from streams.inventory.stock.rules import breach
from streams.kernel.flow import Decision, Out
from tables.applied import remembered
from tables.inventory.stock import Facts, Reservation, Settlement, Stock
from topics.registry import (
    INVENTORY_LINE_REJECTED,
    INVENTORY_LINE_RESERVED,
    INVENTORY_LOW_STOCK,
    INVENTORY_REFUSED,
    INVENTORY_UPDATED,
)


def receive(policy: StockPolicy, state: Stock | None, message: Message[InventoryReceive]) -> Decision[Stock]:
    """Take goods in, once per receipt."""
    data = message.data
    movement = Movement(MovementKind.RECEIVE, data.quantity, data.receipt_id, data.reason)
    return _entered(policy, state, message, movement)


def adjust(policy: StockPolicy, state: Stock | None, message: Message[InventoryAdjust]) -> Decision[Stock]:
    """Correct the level after a count or a loss, once per adjustment; never below what is reserved."""
    data = message.data
    movement = Movement(MovementKind.ADJUST, data.delta, data.adjustment_id, data.reason)
    return _entered(policy, state, message, movement)


def reserve(policy: StockPolicy, state: Stock | None, message: Message[InventoryReserve]) -> Decision[Stock]:
    """Reserve an order's lines of this SKU at firm prices: all of them, or none.

    The same order again gets the same answer, without a second effect.
    """
    stock = state or Stock()
    sku, data = message.aggregate_id, message.data
    before = held(stock, data.order_id)
    if before is not None:
        return Decision(state, (_reserved(sku, data.order_id, before),))
    end = settlement(stock, data.order_id)
    if end is Settlement.COMMITTED:
        # Its allocation had the answer, or it could not have committed.
        return Decision(state)
    quantity = sum(line.quantity for line in data.lines)
    reason = refusal(stock, data, quantity) if end is None else Refusal.RELEASED
    if reason is not None:
        rejection = LineRejected(sku, reason, quantity, stock.available)
        return Decision(state, (Out(INVENTORY_LINE_REJECTED, data.order_id, rejection),))
    assert stock.facts is not None, "an unknown SKU is refused"
    reservation = Reservation(quantity, quote(stock.facts, sku, data))
    after = replace(
        stock,
        version=stock.version + 1,
        reserved=stock.reserved + quantity,
        open=stock.open + 1,
        orders=stock.orders.set(data.order_id, reservation),
    )
    movement = Movement(MovementKind.RESERVE, quantity, data.order_id, "order")
    moved = _moved(policy, sku, stock, after, movement)
    return Decision(moved.state, (_reserved(sku, data.order_id, reservation), *moved.outputs))


def release(policy: StockPolicy, state: Stock | None, message: Message[InventoryRelease]) -> Decision[Stock]:
    """Give an order's reservation back; where there is none yet, its late reserve will be refused."""
    stock = state or Stock()
    data = message.data
    if settlement(stock, data.order_id) is not None:
        return Decision(state)
    before = held(stock, data.order_id)
    done = marked(policy, stock, data.order_id, Settlement.RELEASED, message.occurred_at)
    if before is None:
        return Decision(done)
    after = replace(
        done,
        version=stock.version + 1,
        reserved=stock.reserved - before.quantity,
        open=stock.open - 1,
    )
    movement = Movement(MovementKind.RELEASE, before.quantity, data.order_id, data.reason)
    return _moved(policy, message.aggregate_id, stock, after, movement)


def commit(policy: StockPolicy, state: Stock | None, message: Message[InventoryCommit]) -> Decision[Stock]:
    """Let an order's reservation leave the house."""
    stock = state or Stock()
    order_id = message.data.order_id
    before = held(stock, order_id)
    if before is None:
        if settlement(stock, order_id) is Settlement.COMMITTED:
            return Decision(state)
        detail = f"{message.aggregate_id} holds no reservation of order {order_id}"
        refused = InventoryRefused(message.event_type, "not_reserved", "order_id", detail)
        return Decision(state, (Out(INVENTORY_REFUSED, message.aggregate_id, refused, stock.version),))
    after = replace(
        marked(policy, stock, order_id, Settlement.COMMITTED, message.occurred_at),
        version=stock.version + 1,
        on_hand=stock.on_hand - before.quantity,
        reserved=stock.reserved - before.quantity,
        open=stock.open - 1,
        committed=stock.committed + before.quantity,
    )
    movement = Movement(MovementKind.COMMIT, before.quantity, order_id, "order")
    return _moved(policy, message.aggregate_id, stock, after, movement)


def know(state: Stock | None, message: Message[ProductSnapshot]) -> Decision[Stock]:
    """Learn the product's price and state; an event older than what is known says nothing new."""
    stock = state or Stock()
    if stock.facts is not None and message.aggregate_version <= stock.facts.version:
        return Decision(state)
    product = message.data
    facts = Facts(
        version=message.aggregate_version,
        name=product.name,
        price=product.price,
        currency=product.currency,
        active=product.active,
        low_stock_threshold=product.low_stock_threshold,
        created_at=product.created_at,
    )
    return Decision(replace(stock, facts=facts))


def sweep(policy: StockPolicy, state: Stock | None, message: Message[TimerDue]) -> Decision[Stock]:
    """Forget the markers whose time is over; a stock that was nothing but markers leaves the table."""
    if state is None:
        return Decision(None)
    after = swept(policy, state, message.data.due_at)
    return Decision(None if after.untouched else after)


def _reserved(sku: str, order_id: str, reservation: Reservation) -> Out[LineReserved]:
    return Out(INVENTORY_LINE_RESERVED, order_id, LineReserved(sku, reservation.lines))


def _entered(
    policy: StockPolicy,
    state: Stock | None,
    message: Message[InventoryReceive] | Message[InventoryAdjust],
    movement: Movement,
) -> Decision[Stock]:
    """Let a receipt or an adjustment change what was received, or refuse it; either way once.

    A refusal is remembered too: the same command must not succeed when it comes again.
    """
    stock = state or Stock()
    before = answered(stock.applied, movement)
    if before is not None:
        return _again(policy, stock, message, movement, before)
    broken = breach(policy, message.aggregate_id, stock, movement)
    said = entry(movement, message.event_id, "" if broken is None else broken.reason)
    applied = remembered(stock.applied, said, policy.remembered_movements)
    if broken is not None:
        kept = None if state is None else replace(state, applied=applied)
        return _refused(kept, stock.version, message, broken)
    after = replace(
        stock,
        version=stock.version + 1,
        on_hand=stock.on_hand + movement.quantity,
        received=stock.received + movement.quantity,
        applied=applied,
    )
    return _moved(policy, message.aggregate_id, stock, after, movement)


def _again(
    policy: StockPolicy,
    stock: Stock,
    message: Message[InventoryReceive] | Message[InventoryAdjust],
    movement: Movement,
    before: Answered,
) -> Decision[Stock]:
    """Answer an id that was used before: the very same command is silent, every other one is told.

    An id stands for one movement: with another quantity it is a conflict, or goods would go missing unsaid.
    """
    field = "receipt_id" if movement.kind is MovementKind.RECEIVE else "adjustment_id"
    if before.command == digits(message.event_id):
        return Decision(stock)
    if before.quantity not in (None, movement.quantity):
        used = f"{movement.reference} was used for {before.quantity} pieces, not {movement.quantity}"
        return _refused(stock, stock.version, message, Breach(Refusal.ID_REUSED, field, used))
    reason = BY_TEXT[before.reason] if before.reason else Refusal.ALREADY_APPLIED
    told = f"{movement.reference} was answered before: {reason}"
    # Who repeats what was done is told what stands now: a view may not have it yet.
    level = None if before.reason else _level(policy, stock)
    return _refused(stock, stock.version, message, Breach(reason, field, told), level)


def _refused(
    state: Stock | None,
    version: int,
    message: Message[InventoryReceive] | Message[InventoryAdjust],
    broken: Breach,
    level: StockLevel | None = None,
) -> Decision[Stock]:
    refused = InventoryRefused(message.event_type, broken.reason, broken.field, broken.detail, level)
    return Decision(state, (Out(INVENTORY_REFUSED, message.aggregate_id, refused, version),))


def _moved(policy: StockPolicy, sku: str, before: Stock, after: Stock, movement: Movement) -> Decision[Stock]:
    """Report the level after a movement, and low stock where it crossed the threshold downwards."""
    version = after.version
    threshold = _threshold(policy, after)
    level = InventoryUpdated(
        on_hand=after.on_hand,
        reserved=after.reserved,
        available=after.available,
        received=after.received,
        committed=after.committed,
        low_stock_threshold=threshold,
        movement=movement,
    )
    outputs: tuple[Out[Any], ...] = (Out(INVENTORY_UPDATED, sku, level, version),)
    if before.available > threshold >= after.available:
        low = InventoryLowStock(after.available, threshold)
        outputs = (*outputs, Out(INVENTORY_LOW_STOCK, sku, low, version))
    return Decision(after, outputs)


def _level(policy: StockPolicy, stock: Stock) -> StockLevel:
    return StockLevel(
        on_hand=stock.on_hand,
        reserved=stock.reserved,
        available=stock.available,
        received=stock.received,
        committed=stock.committed,
        low_stock_threshold=_threshold(policy, stock),
    )


def _threshold(policy: StockPolicy, stock: Stock) -> int:
    return policy.low_stock_threshold if stock.facts is None else stock.facts.low_stock_threshold
