"""Stock: each rule, each duplicate, each late message."""

from typing import Any

import msgspec
import pytest

from schemas.inventory import (
    InventoryLowStock,
    LineRejected,
    LineReserved,
    Movement,
    MovementKind,
    QuotedLine,
    RequestedLine,
)
from streams.inventory.stock.markers import PAGE_ORDERS, SWEPT_PAGES, sweep_due
from streams.kernel.flow import Decision
from tables.inventory.stock import STOCK, Reservation, Settled, Settlement, Stock
from tables.parts import Parts
from tests.unit.streams.inventory.samples import NOW, ORDER, SKU, asked, product
from tests.unit.streams.inventory.steps import (
    FACTS,
    POLICY,
    adjust,
    changed,
    commit,
    know,
    release,
    reserve,
    stocked,
    sweep,
)
from topics.registry import (
    INVENTORY_LINE_REJECTED,
    INVENTORY_LINE_RESERVED,
    INVENTORY_LOW_STOCK,
    INVENTORY_REFUSED,
    INVENTORY_UPDATED,
)


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
