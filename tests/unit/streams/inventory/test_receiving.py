"""What comes into stock, and what a count corrects: once each, or refused."""

import msgspec
import pytest

from schemas.inventory import (
    InventoryRefused,
    InventoryUpdated,
    Movement,
    MovementKind,
    StockLevel,
)
from streams.kernel.flow import Decision
from tables.inventory.stock import Stock
from tests.unit.streams.inventory.samples import SKU, asked
from tests.unit.streams.inventory.steps import (
    POLICY,
    adjust,
    changed,
    reason,
    receive,
    release,
    reserve,
    stocked,
)
from topics.registry import (
    INVENTORY_RECEIVE,
    INVENTORY_REFUSED,
    INVENTORY_UPDATED,
)


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
    assert more.outputs[0].data.level is None
    counted = adjust(state, -3, "A1").state
    again = adjust(counted, -1, "A1", command="another")
    assert (again.state, reason(again)) == (counted, ("id_reused", "adjustment_id"))
    assert receive(counted, 1, "A1").outputs[0].topic is INVENTORY_UPDATED, "receipts have ids of their own"


def test_a_repetition_tells_the_level_as_it_is() -> None:
    state = changed(reserve(receive(stocked(), 3, "PO1").state, asked(7)))
    (told,) = receive(state, 3, "PO1", command="another").outputs
    assert told.version == state.version
    assert told.data.level == StockLevel(
        on_hand=13, reserved=7, available=6, received=13, committed=0, low_stock_threshold=3
    )
    (unsold,) = receive(receive(None, 3, "PO1").state, 3, "PO1", command="another").outputs
    assert unsold.data.level.low_stock_threshold == POLICY.low_stock_threshold


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
