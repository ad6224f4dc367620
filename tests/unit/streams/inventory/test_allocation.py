"""Allocation: an order's lines split and joined, and undone whatever comes first."""

import msgspec
import pytest

from schemas.checkout import Charge
from schemas.inventory import (
    InventoryReceive,
    InventoryRejected,
    InventoryRelease,
    InventoryReserve,
    LineRejected,
    LineReserved,
    QuotedLine,
    RequestedLine,
)
from schemas.order import OrderKind, OrderSnapshot, OrderStatus
from schemas.service import TimerDue
from streams.inventory.allocation import decide
from streams.inventory.policy import AllocationPolicy
from streams.kernel.flow import Decision
from tables.inventory.allocation import ALLOCATION, Allocation, AllocationStatus
from tests.unit.streams.inventory.samples import NOW, ORDER, order, said
from topics.registry import (
    ALLOCATION_DUE,
    INVENTORY_COMMIT,
    INVENTORY_LINE_REJECTED,
    INVENTORY_LINE_RESERVED,
    INVENTORY_RECEIVE,
    INVENTORY_REJECTED,
    INVENTORY_RELEASE,
    INVENTORY_RESERVE,
    INVENTORY_RESERVED,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_DELIVERED,
    ORDER_PLACED,
    ORDER_RETURNED,
    ORDER_SHIPPED,
)

POLICY = AllocationPolicy()
LINES = (("line-1", "A", 2), ("line-2", "B", 1), ("line-3", "A", 3))
POSTAGE = Charge("POST", "POSTAGE", 1, 1800)


def place(state: Allocation | None = None, snapshot: OrderSnapshot | None = None) -> Decision[Allocation]:
    placed = snapshot or order(*LINES, charges=(POSTAGE,))
    return decide.place(POLICY, state, said(ORDER_PLACED, ORDER, placed))


def quoted(*lines: tuple[str, str, int, int]) -> LineReserved:
    quotes = tuple(
        QuotedLine(line_id, sku, f"product {sku}", quantity, price) for line_id, sku, quantity, price in lines
    )
    return LineReserved(quotes[0].sku, quotes)


OF_A = quoted(("line-1", "A", 2, 100), ("line-3", "A", 3, 90))
OF_B = quoted(("line-2", "B", 1, 1000))


def line_reserved(
    state: Allocation | None, data: LineReserved, policy: AllocationPolicy = POLICY
) -> Decision[Allocation]:
    return decide.line_reserved(policy, state, said(INVENTORY_LINE_RESERVED, ORDER, data))


def line_rejected(state: Allocation | None, sku: str) -> Decision[Allocation]:
    data = LineRejected(sku, "out_of_stock", 5, 1)
    return decide.line_rejected(state, said(INVENTORY_LINE_REJECTED, ORDER, data))


def confirm(state: Allocation | None) -> Decision[Allocation]:
    return decide.confirm(state, said(ORDER_CONFIRMED, ORDER, order(*LINES, status=OrderStatus.CONFIRMED)))


def cancel(state: Allocation | None) -> Decision[Allocation]:
    return decide.cancel(state, said(ORDER_CANCELLED, ORDER, order(*LINES, status=OrderStatus.CANCELLED)))


def finish(state: Allocation | None, at: int = NOW) -> Decision[Allocation]:
    shipped = order(*LINES, status=OrderStatus.SHIPPED)
    return decide.finish(state, said(ORDER_SHIPPED, ORDER, shipped, at=at))


def changed(decision: Decision[Allocation]) -> Allocation:
    assert decision.state is not None
    return decision.state


def pending() -> Allocation:
    return changed(place())


def reserved() -> Allocation:
    return changed(line_reserved(changed(line_reserved(pending(), OF_B)), OF_A))


def committed() -> Allocation:
    return changed(confirm(reserved()))


def rejected() -> Allocation:
    return changed(line_rejected(pending(), "A"))


def consented(total: int) -> Allocation:
    """Return an allocation that lacks the last quote; all together come to 3270."""
    asked = msgspec.structs.replace(order(*LINES, charges=(POSTAGE,)), consented=total)
    return changed(line_reserved(changed(place(snapshot=asked)), OF_B))


@pytest.mark.parametrize("shown", [3271, 3269, 0])
def test_another_total_than_the_buyer_agreed_to_is_refused_and_given_back(shown: int) -> None:
    decision = line_reserved(consented(shown), OF_A)
    assert changed(decision).status is AllocationStatus.REJECTED
    (rejection, *releases) = decision.outputs
    assert rejection.topic is INVENTORY_REJECTED
    assert (rejection.data.reason, rejection.data.sku) == ("price_changed", "")
    assert [line.unit_price for line in rejection.data.lines] == [100, 1000, 90]
    assert [(out.topic, out.key) for out in releases] == [(INVENTORY_RELEASE, "A"), (INVENTORY_RELEASE, "B")]
    late = line_reserved(changed(decision), OF_A)
    assert [out.topic for out in late.outputs] == [INVENTORY_RELEASE]


def test_the_total_that_the_buyer_agreed_to_is_reserved() -> None:
    decision = line_reserved(consented(3270), OF_A)
    assert [(out.topic, out.data.total) for out in decision.outputs] == [(INVENTORY_RESERVED, 3270)]


def test_a_shop_may_let_lower_totals_pass_and_never_higher_ones() -> None:
    generous = AllocationPolicy(lower_total_passes=True)
    lower = line_reserved(consented(3271), OF_A, generous)
    assert [(out.topic, out.data.total) for out in lower.outputs] == [(INVENTORY_RESERVED, 3270)]
    higher = line_reserved(consented(3269), OF_A, generous)
    assert higher.outputs[0].topic is INVENTORY_REJECTED


def test_charges_that_come_to_another_total_are_refused_without_goods() -> None:
    asked = msgspec.structs.replace(order(charges=(POSTAGE,)), consented=1799)
    assert [out.topic for out in place(snapshot=asked).outputs] == [INVENTORY_REJECTED]


def test_a_placed_order_asks_each_stock_for_all_its_lines() -> None:
    decision = place()
    assert [(out.topic, out.key, out.data) for out in decision.outputs] == [
        (
            INVENTORY_RESERVE,
            "A",
            InventoryReserve(ORDER, "GBP", (RequestedLine("line-1", 2), RequestedLine("line-3", 3))),
        ),
        (INVENTORY_RESERVE, "B", InventoryReserve(ORDER, "GBP", (RequestedLine("line-2", 1),))),
    ]
    assert changed(decision).quantities == {"A": 5, "B": 1}
    assert place(decision.state) == Decision(decision.state)


def test_the_last_answer_completes_the_reservation_in_the_orders_own_sequence() -> None:
    state = changed(line_reserved(pending(), OF_B))
    assert line_reserved(state, OF_B) == Decision(state)
    decision = line_reserved(state, OF_A)
    (out,) = decision.outputs
    assert (out.topic, out.key, out.version) == (INVENTORY_RESERVED, ORDER, NOW + 1)
    data = out.data
    assert [line.line_id for line in data.lines] == ["line-1", "line-2", "line-3"]
    assert (data.goods, data.charged, data.total) == (1470, 1800, 3270)
    assert (data.cart_id, data.user_id, data.currency, data.payment_token) == (
        "cart-1",
        "user-1",
        "GBP",
        "tok_visa",
    )
    assert data.charges == (POSTAGE,)
    after = changed(decision)
    assert (after.status, after.ask) == (AllocationStatus.RESERVED, None)
    assert line_reserved(after, OF_A) == Decision(after)


def test_an_order_of_charges_only_is_reserved_at_once() -> None:
    decision = place(snapshot=order(charges=(POSTAGE,)))
    (out,) = decision.outputs
    assert (out.topic, out.data.goods, out.data.total) == (INVENTORY_RESERVED, 0, 1800)
    assert changed(decision).status is AllocationStatus.RESERVED


@pytest.mark.parametrize("field", ["cart_id", "payment_token"])
def test_a_sale_that_could_not_be_paid_names_the_missing_field(field: str) -> None:
    incomplete = msgspec.structs.replace(order(*LINES), **{field: None})
    with pytest.raises(decide.IncompleteOrderError, match=f"order.placed: {field} is required"):
        place(snapshot=incomplete)


def test_one_refusal_rejects_the_order_and_releases_every_other_sku() -> None:
    state = changed(line_reserved(pending(), OF_B))
    decision = line_rejected(state, "A")
    rejection, release = decision.outputs
    assert (rejection.topic, rejection.key, rejection.version) == (INVENTORY_REJECTED, ORDER, NOW + 1)
    assert rejection.data == InventoryRejected("out_of_stock", "A", 5, 1)
    assert (release.topic, release.key, release.data) == (
        INVENTORY_RELEASE,
        "B",
        InventoryRelease(ORDER, "rejected"),
    )
    after = changed(decision)
    assert (after.status, after.ended_at) == (AllocationStatus.REJECTED, NOW)
    assert line_rejected(after, "B") == Decision(after)
    assert cancel(after) == Decision(after)
    assert confirm(after) == Decision(after)


def test_a_sku_still_unanswered_is_released_too() -> None:
    decision = line_rejected(pending(), "B")
    assert [(out.topic, out.key) for out in decision.outputs[1:]] == [(INVENTORY_RELEASE, "A")]


def test_a_rejection_after_the_answer_is_no_news() -> None:
    state = changed(line_reserved(pending(), OF_B))
    assert line_rejected(state, "B") == Decision(state)
    assert line_rejected(None, "B") == Decision(None)
    assert line_rejected(reserved(), "B").outputs == ()


@pytest.mark.parametrize("state", [None, rejected(), changed(cancel(pending()))])
def test_a_reservation_that_nobody_wants_is_released(state: Allocation | None) -> None:
    decision = line_reserved(state, OF_B)
    assert decision.state is state
    assert [(out.topic, out.key) for out in decision.outputs] == [(INVENTORY_RELEASE, "B")]


def test_a_reservation_of_a_foreign_sku_is_released() -> None:
    decision = line_reserved(pending(), quoted(("line-9", "Z", 1, 1)))
    assert [(out.topic, out.key) for out in decision.outputs] == [(INVENTORY_RELEASE, "Z")]


def test_a_confirmed_order_commits_every_sku_once() -> None:
    decision = confirm(reserved())
    assert [(out.topic, out.key, out.data.order_id) for out in decision.outputs] == [
        (INVENTORY_COMMIT, "A", ORDER),
        (INVENTORY_COMMIT, "B", ORDER),
    ]
    assert confirm(decision.state) == Decision(decision.state)
    assert line_reserved(decision.state, OF_A) == Decision(decision.state)
    assert confirm(None) == Decision(None)


@pytest.mark.parametrize("state", [pending(), reserved()])
def test_a_cancelled_order_releases_every_sku_once(state: Allocation) -> None:
    decision = cancel(state)
    assert [(out.topic, out.key, out.data) for out in decision.outputs] == [
        (INVENTORY_RELEASE, sku, InventoryRelease(ORDER, "cancelled")) for sku in ("A", "B")
    ]
    assert changed(decision).status is AllocationStatus.RELEASED
    assert cancel(decision.state) == Decision(decision.state)
    assert confirm(decision.state) == Decision(decision.state)


def test_goods_of_an_order_cancelled_after_its_commit_come_in_again() -> None:
    decision = cancel(committed())
    assert [(out.topic, out.key, out.data.quantity, out.data.reason) for out in decision.outputs] == [
        (INVENTORY_RECEIVE, "A", 5, "cancellation"),
        (INVENTORY_RECEIVE, "B", 1, "cancellation"),
    ]
    receipts = {out.data.receipt_id for out in decision.outputs}
    assert len(receipts) == 2
    assert {out.data.receipt_id for out in cancel(committed()).outputs} == receipts
    assert cancel(decision.state) == Decision(decision.state)


def test_a_repeated_answer_does_not_release_what_the_commit_still_has_to_take() -> None:
    restocked = cancel(committed()).state
    assert line_reserved(restocked, OF_A) == Decision(restocked)


def test_an_order_cancelled_before_it_is_known_reserves_nothing() -> None:
    marker = cancel(None)
    assert marker.outputs == ()
    assert place(marker.state) == Decision(marker.state)


def test_shipped_means_confirmed_even_where_that_was_not_heard_yet() -> None:
    decision = finish(reserved())
    assert [out.topic for out in decision.outputs] == [INVENTORY_COMMIT, INVENTORY_COMMIT]
    assert (changed(decision).status, changed(decision).ended_at) == (AllocationStatus.COMMITTED, NOW)
    assert confirm(decision.state) == Decision(decision.state)
    delivered = said(ORDER_DELIVERED, ORDER, order(status=OrderStatus.DELIVERED), at=NOW + 5)
    assert decide.finish(decision.state, delivered) == Decision(decision.state)


def test_a_finish_moves_no_stock_of_an_order_without_reservation() -> None:
    assert finish(None) == Decision(None)
    assert finish(rejected()).outputs == ()


def test_returned_goods_come_in_under_receipts_of_the_return() -> None:
    came_back = order(*LINES, status=OrderStatus.RETURNED, kind=OrderKind.RETURN, cart_id=None)
    decision = decide.take_back(None, said(ORDER_RETURNED, "return-1", came_back))
    assert [(out.topic, out.key, out.data.quantity, out.data.reason) for out in decision.outputs] == [
        (INVENTORY_RECEIVE, "A", 5, "return"),
        (INVENTORY_RECEIVE, "B", 1, "return"),
    ]
    assert all(isinstance(out.data, InventoryReceive) for out in decision.outputs)
    again = decide.take_back(decision.state, said(ORDER_RETURNED, "return-1", came_back))
    assert again == Decision(decision.state)


@pytest.mark.parametrize(
    "state", [rejected(), changed(cancel(pending())), changed(cancel(None)), changed(finish(committed()))]
)
def test_an_ended_allocation_leaves_after_its_retention(state: Allocation) -> None:
    due = decide.leaves_at(POLICY, state)
    assert due == NOW + POLICY.retention_ms

    def leave(at: int) -> Decision[Allocation]:
        return decide.leave(POLICY, state, said(ALLOCATION_DUE, ORDER, TimerDue(at), at=at))

    assert leave(due - 1) == Decision(state)
    assert leave(due) == Decision(None)


@pytest.mark.parametrize("state", [None, pending(), reserved(), committed()])
def test_an_allocation_stays_while_its_order_can_be_cancelled(state: Allocation | None) -> None:
    assert state is None or decide.leaves_at(POLICY, state) is None
    late = said(ALLOCATION_DUE, ORDER, TimerDue(NOW * 2), at=NOW * 2)
    assert decide.leave(POLICY, state, late) == Decision(state)


@pytest.mark.parametrize("state", [pending(), reserved(), committed(), rejected()])
def test_the_state_survives_its_bytes(state: Allocation) -> None:
    assert ALLOCATION.decode(ALLOCATION.encode(state)) == state
