"""Stock: each rule, each duplicate, each late message."""

from typing import Any

import msgspec
import pytest

from schemas.envelope import derived_id
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
    QuotedLine,
    RequestedLine,
)
from schemas.product import ProductSnapshot
from schemas.service import TimerDue
from streams.inventory.policy import StockPolicy
from streams.inventory.stock import decide
from streams.inventory.stock.markers import PAGE_ORDERS, SWEPT_PAGES, sweep_due
from streams.kernel.flow import Decision
from tables.parts import Parts
from tables.stock import STOCK, Facts, Reservation, Settled, Settlement, Stock
from tests.unit.streams.inventory.samples import NOW, ORDER, SKU, asked, product, said
from topics.registry import (
    INVENTORY_ADJUST,
    INVENTORY_COMMIT,
    INVENTORY_DUE,
    INVENTORY_LINE_REJECTED,
    INVENTORY_LINE_RESERVED,
    INVENTORY_LOW_STOCK,
    INVENTORY_RECEIVE,
    INVENTORY_REFUSED,
    INVENTORY_RELEASE,
    INVENTORY_RESERVE,
    INVENTORY_UPDATED,
    PRODUCT_UPDATED,
)

POLICY = StockPolicy()
FACTS = Facts(
    1, "WHITE HANGING HEART T-LIGHT HOLDER", price=295, currency="GBP", active=True, low_stock_threshold=3
)


def stocked(on_hand: int = 10, **given: object) -> Stock:
    return msgspec.structs.replace(
        Stock(version=1, on_hand=on_hand, received=on_hand, facts=FACTS, applied=("receive:first",)), **given
    )


def receive(
    state: Stock | None, quantity: int, receipt: str = "receipt-1", sku: str = SKU, command: str = ""
) -> Decision[Stock]:
    message = said(INVENTORY_RECEIVE, sku, InventoryReceive(receipt, quantity, "purchase"))
    message = msgspec.structs.replace(message, event_id=derived_id(command, receipt))
    return decide.receive(POLICY, state, message)


def adjust(
    state: Stock | None, delta: int, adjustment: str = "count-1", command: str = ""
) -> Decision[Stock]:
    message = said(INVENTORY_ADJUST, SKU, InventoryAdjust(adjustment, delta, "loss"))
    message = msgspec.structs.replace(message, event_id=derived_id(command, adjustment))
    return decide.adjust(POLICY, state, message)


def reason(decision: Decision[Stock]) -> tuple[str, str]:
    (refused,) = decision.outputs
    assert refused.topic is INVENTORY_REFUSED
    return refused.data.reason, refused.data.field


def reserve(
    state: Stock | None, lines: tuple[RequestedLine, ...], order_id: str = ORDER, currency: str = "GBP"
) -> Decision[Stock]:
    data = InventoryReserve(order_id, currency, lines)
    return decide.reserve(POLICY, state, said(INVENTORY_RESERVE, SKU, data))


def release(state: Stock | None, order_id: str = ORDER, at: int = NOW) -> Decision[Stock]:
    data = InventoryRelease(order_id, "cancelled")
    return decide.release(POLICY, state, said(INVENTORY_RELEASE, SKU, data, at=at))


def commit(state: Stock | None, order_id: str = ORDER, policy: StockPolicy = POLICY) -> Decision[Stock]:
    return decide.commit(policy, state, said(INVENTORY_COMMIT, SKU, InventoryCommit(order_id)))


def know(state: Stock | None, facts: ProductSnapshot, version: int) -> Decision[Stock]:
    return decide.know(state, said(PRODUCT_UPDATED, SKU, facts, version=version))


def sweep(state: Stock | None, due_at: int) -> Decision[Stock]:
    return decide.sweep(POLICY, state, said(INVENTORY_DUE, SKU, TimerDue(due_at), at=due_at))


def changed(decision: Decision[Stock]) -> Stock:
    assert decision.state is not None
    return decision.state


def test_a_receipt_raises_the_level_and_says_so_in_full() -> None:
    decision = receive(None, 12)
    after = changed(decision)
    assert after == Stock(version=1, on_hand=12, received=12, applied=after.applied)
    assert len(after.applied) == 1
    (updated,) = decision.outputs
    assert (updated.topic, updated.key, updated.version) == (INVENTORY_UPDATED, SKU, 1)
    assert updated.data == InventoryUpdated(
        on_hand=12,
        reserved=0,
        available=12,
        received=12,
        committed=0,
        low_stock_threshold=POLICY.low_stock_threshold,
        movement=Movement(MovementKind.RECEIVE, 12, "receipt-1", "purchase"),
    )


def test_the_same_receipt_counts_once() -> None:
    state = receive(None, 12).state
    assert receive(state, 12) == Decision(state)
    assert changed(receive(state, 5, "receipt-2")).on_hand == 17


def test_an_id_used_again_is_told_and_moves_nothing() -> None:
    state = receive(None, 3, "PO1").state
    more = receive(state, 300, "PO1", command="another")
    assert (more.state, reason(more)) == (state, ("id_reused", "receipt_id"))
    same = receive(state, 3, "PO1", command="another")
    assert (same.state, reason(same)) == (state, ("already_applied", "receipt_id"))
    counted = adjust(state, -3, "A1").state
    again = adjust(counted, -1, "A1", command="another")
    assert (again.state, reason(again)) == (counted, ("id_reused", "adjustment_id"))
    assert receive(counted, 1, "A1").outputs[0].topic is INVENTORY_UPDATED, "receipts have ids of their own"


def test_what_was_refused_under_an_id_stays_refused() -> None:
    state = changed(reserve(stocked(), asked(7)))
    refused = changed(adjust(state, -4, "A1"))
    freed = changed(release(refused))
    assert reason(adjust(freed, -4, "A1", command="another")) == ("below_reserved", "adjustment_id")
    assert reason(adjust(freed, -1, "A1", command="another")) == ("id_reused", "adjustment_id")


def test_of_older_entries_the_id_alone_is_known() -> None:
    state = stocked(applied=("receive:PO1", "receive:PO1\x1f3"))
    assert reason(receive(state, 300, "PO1")) == ("already_applied", "receipt_id")
    assert reason(receive(state, 3, "PO1\x1f3")) == ("already_applied", "receipt_id")


def test_an_id_with_the_separator_in_it_is_an_id() -> None:
    state = receive(None, 3, "PO\x1f1\x1f2\x1f3\x1f").state
    assert receive(state, 3, "PO").outputs[0].topic is INVENTORY_UPDATED
    assert reason(receive(state, 4, "PO\x1f1\x1f2\x1f3\x1f", command="another"))[0] == "id_reused"


def test_receipts_beyond_the_ring_are_forgotten_oldest_first() -> None:
    state: Stock | None = None
    for number in range(POLICY.remembered_movements + 1):
        state = receive(state, 1, f"receipt-{number}").state
    assert len(changed(Decision(state)).applied) == POLICY.remembered_movements
    assert receive(state, 1, "receipt-1") == Decision(state)


@pytest.mark.parametrize(
    ("quantity", "reason", "field"),
    [
        (0, "not_positive", "quantity"),
        (-3, "not_positive", "quantity"),
        (1_000_000_001, "level_exceeded", "quantity"),
    ],
)
def test_a_receipt_is_refused_with_its_rule_and_field(quantity: int, reason: str, field: str) -> None:
    decision = receive(None, quantity)
    assert decision.state is None
    (refused,) = decision.outputs
    assert (refused.topic, refused.key, refused.version) == (INVENTORY_REFUSED, SKU, 0)
    assert isinstance(refused.data, InventoryRefused)
    assert (refused.data.command, refused.data.reason, refused.data.field) == (
        INVENTORY_RECEIVE.name,
        reason,
        field,
    )
    assert str(quantity).lstrip("-") in refused.data.detail


def test_a_malformed_sku_gets_no_stock() -> None:
    decision = receive(None, 1, sku=" no sku ")
    assert decision.state is None
    assert [(out.data.reason, out.data.field) for out in decision.outputs] == [("invalid_sku", "sku")]


@pytest.mark.parametrize(("delta", "level"), [(-4, 6), (5, 15)])
def test_an_adjustment_corrects_what_was_received(delta: int, level: int) -> None:
    decision = adjust(stocked(), delta)
    after = changed(decision)
    assert (after.on_hand, after.received, after.version) == (level, level, 2)
    assert decision.outputs[0].data.movement == Movement(MovementKind.ADJUST, delta, "count-1", "loss")
    assert adjust(after, delta) == Decision(after)


@pytest.mark.parametrize(
    ("delta", "reason"), [(0, "zero"), (-4, "below_reserved"), (1_000_000_000, "level_exceeded")]
)
def test_an_adjustment_is_refused_once_and_for_all(delta: int, reason: str) -> None:
    state = changed(reserve(stocked(), asked(7)))
    decision = adjust(state, delta)
    (refused,) = decision.outputs
    assert (refused.topic, refused.data.reason, refused.data.field, refused.version) == (
        INVENTORY_REFUSED,
        reason,
        "delta",
        state.version,
    )
    after = changed(decision)
    assert msgspec.structs.replace(after, applied=state.applied) == state
    freed = changed(release(after))
    assert adjust(freed, delta) == Decision(freed)


def test_reserving_quotes_every_line_at_the_list_price() -> None:
    decision = reserve(stocked(), asked(2, 3))
    answer, updated = decision.outputs
    lines = (
        QuotedLine("line-0", SKU, FACTS.name, 2, 295),
        QuotedLine("line-1", SKU, FACTS.name, 3, 295),
    )
    assert (answer.topic, answer.key, answer.data) == (
        INVENTORY_LINE_RESERVED,
        ORDER,
        LineReserved(SKU, lines),
    )
    assert updated.data.movement == Movement(MovementKind.RESERVE, 5, ORDER, "order")
    after = changed(decision)
    assert (after.on_hand, after.reserved, after.available) == (10, 5, 5)
    assert (after.open, after.orders.get(ORDER)) == (1, Reservation(5, lines))


def test_an_agreed_price_overrides_the_list_price() -> None:
    answer = reserve(stocked(), asked(1, agreed_price=0)).outputs[0]
    assert answer.data.lines[0].unit_price == 0


def test_the_same_reserve_gets_the_same_answer_without_a_second_effect() -> None:
    first = reserve(stocked(), asked(2, 3))
    dearer = changed(know(first.state, product(price=999), 2))
    again = reserve(dearer, asked(2, 3))
    assert again.state is dearer
    assert again.outputs == first.outputs[:1]


@pytest.mark.parametrize(
    ("state", "lines", "currency", "reason"),
    [
        (None, asked(1), "GBP", "unknown_sku"),
        (stocked(facts=None), asked(1), "GBP", "unknown_sku"),
        (stocked(facts=msgspec.structs.replace(FACTS, active=False)), asked(1), "GBP", "discontinued"),
        (stocked(), asked(1), "EUR", "currency_mismatch"),
        (stocked(), asked(6, 5), "GBP", "out_of_stock"),
        (stocked(), asked(3, 0), "GBP", "invalid_quantity"),
        (stocked(), asked(3, -1), "GBP", "invalid_quantity"),
        (stocked(), (), "GBP", "invalid_quantity"),
        (stocked(), asked(3, agreed_price=-1), "GBP", "invalid_price"),
    ],
)
def test_all_of_a_skus_lines_are_reserved_or_none(
    state: Stock | None, lines: tuple[RequestedLine, ...], currency: str, reason: str
) -> None:
    decision = reserve(state, lines, currency=currency)
    assert decision.state is state
    (answer,) = decision.outputs
    requested = sum(line.quantity for line in lines)
    assert (answer.topic, answer.key) == (INVENTORY_LINE_REJECTED, ORDER)
    assert answer.data == LineRejected(SKU, reason, requested, 0 if state is None else state.available)


def test_the_last_piece_goes_to_one_order_only() -> None:
    first = reserve(stocked(1), asked(1), "order-a")
    second = reserve(first.state, asked(1), "order-b")
    assert second.outputs[0].data == LineRejected(SKU, "out_of_stock", 1, 0)


def test_a_release_gives_the_reservation_back_once() -> None:
    held = changed(reserve(stocked(), asked(4)))
    decision = release(held)
    after = changed(decision)
    assert (after.on_hand, after.reserved, after.open) == (10, 0, 0)
    assert after.orders.get(ORDER) == Settled(Settlement.RELEASED)
    (updated,) = decision.outputs
    assert updated.data.movement == Movement(MovementKind.RELEASE, 4, ORDER, "cancelled")
    assert release(after) == Decision(after)


@pytest.mark.parametrize("state", [None, stocked()])
def test_a_release_that_overtakes_its_reserve_leaves_a_marker(state: Stock | None) -> None:
    decision = release(state)
    assert decision.outputs == ()
    late = reserve(decision.state, asked(4))
    assert late.state is decision.state
    assert late.outputs[0].data.reason == "released"


def test_a_commit_takes_the_goods_out_of_the_house_once() -> None:
    held = changed(reserve(stocked(), asked(4)))
    decision = commit(held)
    after = changed(decision)
    assert (after.on_hand, after.reserved, after.committed, after.open) == (6, 0, 4, 0)
    (updated,) = decision.outputs
    assert updated.data.movement == Movement(MovementKind.COMMIT, 4, ORDER, "order")
    assert commit(after) == Decision(after)
    assert release(after) == Decision(after)
    assert reserve(after, asked(4)) == Decision(after)


@pytest.mark.parametrize("state", [None, stocked(), release(stocked()).state])
def test_a_commit_without_a_reservation_is_refused(state: Stock | None) -> None:
    decision = commit(state)
    assert decision.state is state
    (refused,) = decision.outputs
    assert (refused.topic, refused.data.reason, refused.data.field) == (
        INVENTORY_REFUSED,
        "not_reserved",
        "order_id",
    )
    assert ORDER in refused.data.detail


def test_low_stock_is_said_only_when_the_threshold_is_crossed_downwards() -> None:
    at_four = reserve(stocked(), asked(6), "order-a")
    assert [out.topic for out in at_four.outputs] == [INVENTORY_LINE_RESERVED, INVENTORY_UPDATED]
    at_three = reserve(at_four.state, asked(1), "order-b")
    low = at_three.outputs[-1]
    assert (low.topic, low.key, low.version) == (INVENTORY_LOW_STOCK, SKU, 3)
    assert low.data == InventoryLowStock(3, 3)
    at_two = reserve(at_three.state, asked(1), "order-c")
    assert INVENTORY_LOW_STOCK not in [out.topic for out in at_two.outputs]
    assert INVENTORY_LOW_STOCK in [out.topic for out in adjust(stocked(), -7).outputs]


def test_without_a_product_the_shops_own_threshold_holds() -> None:
    decision = adjust(stocked(facts=None, on_hand=11, received=11), -1)
    assert decision.outputs[-1].data == InventoryLowStock(10, POLICY.low_stock_threshold)


def test_an_older_product_event_says_nothing_new() -> None:
    known = changed(know(None, product(price=500), 2))
    assert known.facts is not None
    assert (known.facts.price, known.facts.version) == (500, 2)
    assert know(known, product(price=100), 1) == Decision(known)
    assert know(known, product(price=100), 2) == Decision(known)
    gone = changed(know(known, product(active=False), 3))
    assert reserve(gone, asked(1)).outputs[0].data.reason == "discontinued"


def test_markers_are_swept_when_their_time_is_over() -> None:
    early, late = NOW, NOW + POLICY.marker_sweep_ms * 3
    state = changed(release(changed(release(stocked(), "order-a", early)), "order-b", late))
    due = sweep_due(POLICY, state)
    assert due is not None
    assert (
        early + POLICY.marker_retention_ms
        <= due
        < early + POLICY.marker_retention_ms + POLICY.marker_sweep_ms
    )
    assert sweep(state, early + POLICY.marker_retention_ms - 1) == Decision(state)
    swept = changed(sweep(state, due))
    assert (swept.orders.get("order-a"), swept.orders.get("order-b")) == (None, Settled(Settlement.RELEASED))
    clean = changed(sweep(swept, late + POLICY.marker_retention_ms))
    assert len(clean.orders) == 0
    assert sweep_due(POLICY, clean) is None


def test_a_stock_that_was_nothing_but_a_marker_leaves_the_table() -> None:
    state = changed(release(None))
    assert sweep(state, NOW + POLICY.marker_retention_ms) == Decision(None)
    assert sweep(None, NOW) == Decision(None)


def test_an_order_writes_no_more_the_more_are_done() -> None:
    state, written = stocked(1_000), list[int]()
    stored: dict[str, Any] = {}
    for number in range(400):
        name = f"order-{number}"
        state = changed(commit(changed(reserve(state, asked(1), name)), name))
        parts = state.orders.changed
        written.append(
            len(STOCK.encode(state)) + sum(len(STOCK.encode_part(part)) for part in parts.values())
        )
        stored |= parts
        state = msgspec.structs.replace(state, orders=state.orders.settled(stored.get))
    assert max(written[200:]) <= max(written[:200]) + 16


def test_a_sweep_that_left_some_is_due_again() -> None:
    state = stocked()
    for number in range(SWEPT_PAGES * PAGE_ORDERS + 1):
        state = changed(release(state, f"order-{number}"))
    due = sweep_due(POLICY, state)
    assert due is not None
    left = changed(sweep(state, due))
    assert len(left.orders) == 2
    again = sweep_due(POLICY, left)
    assert again is not None
    assert again != due
    assert len(changed(sweep(left, again)).orders) == 0


def test_markers_of_a_slow_sku_do_not_wait_for_their_page_to_fill() -> None:
    state = changed(release(stocked(), "order-a", NOW))
    state = changed(release(state, "order-b", NOW + POLICY.marker_sweep_ms))
    swept = changed(sweep(state, NOW + POLICY.marker_retention_ms))
    assert (swept.orders.get("order-a"), swept.orders.get("order-b")) == (None, Settled(Settlement.RELEASED))


def test_the_state_survives_its_bytes() -> None:
    state = changed(
        commit(changed(reserve(changed(reserve(stocked(), asked(4))), asked(1), "order-b")), "order-b")
    )
    assert (state.open, len(state.orders)) == (1, 3)
    assert STOCK.decode(STOCK.encode(state)) == msgspec.structs.replace(state, orders=Parts(3))
