"""What becomes of an order as the dataflow speaks to it."""

from typing import Any

import msgspec
import pytest

from schemas.cart import CartClear, CartRestore
from schemas.checkout import CheckoutCompleted, CheckoutFailed
from schemas.envelope import Message
from schemas.inventory import InventoryRejected
from schemas.order import OrderKind, OrderStatus
from schemas.payment import PaymentStatus
from streams.order.decide import due
from tables.order import Order
from tests.unit.streams.order.orders import (
    CART_ID,
    DEADLINE,
    ORDER_ID,
    POLICY,
    POSTAGE,
    advancing,
    after,
    begun,
    confirmed,
    hear,
    paid,
    placed,
    refusal,
    rejected,
    reserved,
    shipped,
)
from tests.unit.streams.said import T0, only, sent
from tests.unit.streams.said import due as timer
from topics.registry import (
    CART_CLEAR,
    CART_RESTORE,
    CHECKOUT_COMPLETED,
    CHECKOUT_FAILED,
    ORDER_ADVANCE,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_DELIVERED,
    ORDER_DUE,
    ORDER_PLACED,
    ORDER_REFUNDED,
    ORDER_REJECTED,
    ORDER_SHIPPED,
    PAYMENT_FAILED,
)

AUTHORISED = PaymentStatus.AUTHORISED
CAPTURED = PaymentStatus.CAPTURED
FAILED = PaymentStatus.FAILED
REFUNDED = PaymentStatus.REFUNDED


def status_of(state: Order | None) -> OrderStatus:
    assert state is not None
    return state.snapshot.status


def test_a_checkout_places_the_order() -> None:
    decision = hear(None, begun())
    event = only(decision, ORDER_PLACED)
    order = event.data
    assert (event.key, event.version, event.user_id) == (ORDER_ID, T0, "ann")
    assert (order.kind, order.status, order.cart_id) == (OrderKind.SALE, OrderStatus.PLACED, CART_ID)
    assert [(line.line_id, line.sku, line.quantity, line.agreed_price) for line in order.lines] == [
        ("1", "A", 2, None),
        ("2", "B", 1, 90),
    ]
    assert (order.charges, order.goods, order.charged, order.total) == ((POSTAGE,), 0, 800, 800)
    assert (order.placed_at, order.updated_at) == (T0 - 1, T0)


@pytest.mark.parametrize(
    "messages",
    [(reserved(), paid(AUTHORISED)), (paid(AUTHORISED), reserved())],
    ids=["quote first", "paid first"],
)
def test_quote_and_payment_together_confirm_in_either_order(messages: tuple[Message[Any], ...]) -> None:
    first = hear(placed(), messages[0])
    assert first.outputs == ()
    decision = hear(first.state, messages[1])
    assert sent(decision) == [ORDER_CONFIRMED, CHECKOUT_COMPLETED, CART_CLEAR]
    order = only(decision, ORDER_CONFIRMED)
    assert order.version == T0 + 1
    assert (order.data.goods, order.data.charged, order.data.total) == (600, 800, 1400)
    assert [(line.line_id, line.name, line.unit_price) for line in order.data.lines] == [
        ("1", "Lantern", 255),
        ("2", "Bell", 90),
    ]
    assert only(decision, CHECKOUT_COMPLETED).data == CheckoutCompleted(CART_ID, 1400, "GBP")
    assert only(decision, CART_CLEAR).key == CART_ID
    assert only(decision, CART_CLEAR).data == CartClear(ORDER_ID)


def test_an_order_that_cannot_be_filled_is_cancelled_and_the_cart_restored() -> None:
    decision = hear(placed(), rejected())
    order = only(decision, ORDER_CANCELLED).data
    assert (order.status, order.reason, order.sku) == (OrderStatus.CANCELLED, "out_of_stock", "A")
    assert order.detail == "2 of A requested, 1 available"
    failed = only(decision, CHECKOUT_FAILED)
    assert (failed.key, failed.data) == (
        ORDER_ID,
        CheckoutFailed(CART_ID, "out_of_stock", "2 of A requested, 1 available", "A"),
    )
    restore = only(decision, CART_RESTORE)
    assert (restore.key, restore.data) == (CART_ID, CartRestore(ORDER_ID, "out_of_stock"))


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("out_of_stock", "2 of A requested, 9 available"),
        ("unknown_sku", "there is no product A"),
        ("discontinued", "A is not sold any more"),
        ("product_replaced", "A is the number of another product now: put it into the cart again"),
        ("released", "the stock of A had been released for this order before"),
        ("currency_mismatch", "A is not sold in the order's currency"),
        ("invalid_quantity", "2 of A is no quantity to reserve"),
        ("invalid_price", "a price agreed for A is negative"),
        ("unheard_of", "A: unheard of"),
    ],
)
def test_what_stock_refused_is_told_by_its_reason(reason: str, said: str) -> None:
    refused = msgspec.structs.replace(rejected(), data=InventoryRejected(reason, "A", 2, 9))
    order = only(hear(placed(), refused), ORDER_CANCELLED).data
    assert (order.reason, order.detail) == (reason, said)


@pytest.mark.parametrize(
    ("reason", "detail"), [("card_declined", "card_declined"), (None, "no reason given")]
)
def test_an_order_that_cannot_be_paid_is_cancelled(reason: str | None, detail: str) -> None:
    decision = hear(placed(), reserved(), paid(FAILED, reason))
    order = only(decision, ORDER_CANCELLED).data
    assert (order.reason, order.detail, order.total) == ("payment_failed", detail, 1400)
    assert sent(decision) == [ORDER_CANCELLED, CHECKOUT_FAILED, CART_RESTORE]


def test_an_order_past_its_deadline_is_cancelled() -> None:
    state = placed()
    assert due(POLICY, state) == DEADLINE
    decision = hear(state, timer(ORDER_DUE, ORDER_ID, DEADLINE, late_ms=7))
    order = only(decision, ORDER_CANCELLED).data
    assert (order.reason, order.updated_at) == ("deadline_exceeded", DEADLINE + 7)
    assert sent(decision) == [ORDER_CANCELLED, CHECKOUT_FAILED, CART_RESTORE]


def test_a_timer_that_the_order_no_longer_asks_for_changes_nothing() -> None:
    late = timer(ORDER_DUE, ORDER_ID, DEADLINE)
    for state in (None, confirmed(), after(begun(), rejected(at=DEADLINE))):
        decision = hear(state, late)
        assert decision.state is state
        assert decision.outputs == ()


@pytest.mark.parametrize(
    "state", [after(begun(), rejected()), confirmed(), None], ids=["ended", "confirmed", "gone"]
)
def test_late_and_doubled_messages_change_nothing(state: Order | None) -> None:
    for message in (
        reserved(name="late"),
        rejected(name="late"),
        paid(AUTHORISED, name="late"),
        paid(FAILED, "card_declined", name="late"),
    ):
        decision = hear(state, message)
        assert decision.state is state
        assert decision.outputs == ()


def test_each_half_of_the_join_counts_once() -> None:
    for message in (reserved(), paid(AUTHORISED)):
        once = hear(placed(), message).state
        twice = hear(once, message)
        assert twice.state is once
        assert twice.outputs == ()


def test_a_cancelled_order_stays_cancelled_when_its_money_comes_back() -> None:
    state = after(begun(), rejected())
    for message in (paid(CAPTURED), paid(REFUNDED)):
        assert hear(state, message).state is state


@pytest.mark.parametrize("confirmed_or_processing", [(), (advancing(OrderStatus.PROCESSING),)])
def test_a_payment_that_cannot_be_captured_cancels_the_confirmed_order(
    confirmed_or_processing: tuple[Message[Any], ...],
) -> None:
    state = hear(confirmed(), *confirmed_or_processing).state
    decision = hear(state, paid(FAILED, "capture_failed"))
    assert sent(decision) == [ORDER_CANCELLED]
    assert only(decision, ORDER_CANCELLED).data.reason == "capture_failed"


def test_money_that_went_back_makes_the_order_refunded() -> None:
    decision = hear(shipped(), paid(REFUNDED))
    assert sent(decision) == [ORDER_REFUNDED]
    assert hear(decision.state, paid(REFUNDED)).outputs == ()


def test_a_refund_that_failed_can_be_tried_again() -> None:
    refunding = hear(shipped(), advancing(OrderStatus.REFUNDED)).state
    decision = hear(refunding, paid(FAILED, "refund_failed: closed account"))
    refused = refusal(decision)
    assert (refused.command, refused.reason) == (PAYMENT_FAILED.name, "refund_failed")
    assert refused.detail == "refund_failed: closed account"
    assert sent(hear(decision.state, advancing(OrderStatus.REFUNDED, name="again"))) != [ORDER_REJECTED]


def test_goods_ship_when_the_money_is_captured() -> None:
    waiting = hear(confirmed(), advancing(OrderStatus.PROCESSING), advancing(OrderStatus.SHIPPED, "1Z999"))
    assert waiting.outputs == ()
    assert status_of(waiting.state) is OrderStatus.PROCESSING
    decision = hear(waiting.state, paid(CAPTURED))
    assert only(decision, ORDER_SHIPPED).data.tracking == "1Z999"
    assert only(decision, ORDER_SHIPPED).data.command_id == advancing(OrderStatus.SHIPPED).event_id
    delivered = hear(decision.state, advancing(OrderStatus.DELIVERED))
    assert only(delivered, ORDER_DELIVERED).data.command_id is None
    assert hear(decision.state, paid(CAPTURED)).outputs == ()


def test_a_known_order_is_not_begun_again() -> None:
    state = placed()
    again = hear(state, begun())
    assert (again.state, again.outputs) == (state, ())


@pytest.mark.parametrize(
    ("state", "topic"), [(after(begun(), rejected()), CART_RESTORE), (confirmed(), CART_CLEAR)]
)
def test_the_end_is_told_again_to_a_cart_that_asks_again(state: Order, topic: object) -> None:
    decision = hear(state, begun())
    assert decision.state is state
    assert sent(decision) == [topic]
    assert decision.outputs[0].key == CART_ID
    assert decision.outputs[0].data.order_id == ORDER_ID


def test_another_cart_does_not_stay_frozen_for_a_known_order() -> None:
    for state in (placed(), confirmed()):
        decision = hear(state, begun("cart-2"))
        assert decision.state is state
        restore = only(decision, CART_RESTORE)
        assert (restore.key, restore.data) == ("cart-2", CartRestore(ORDER_ID, "order_exists"))


def test_ended_orders_leave_the_table_after_their_time() -> None:
    delivered = hear(shipped(), advancing(OrderStatus.DELIVERED)).state
    refunded = hear(shipped(), paid(REFUNDED)).state
    for state, wait in (
        (after(begun(), rejected()), POLICY.retention_ms),
        (refunded, POLICY.retention_ms),
        (delivered, POLICY.refund_window_ms),
    ):
        assert state is not None
        assert due(POLICY, state) == T0 + wait
        assert hear(state, timer(ORDER_DUE, ORDER_ID, T0 + wait - 1)).state is state
        decision = hear(state, timer(ORDER_DUE, ORDER_ID, T0 + wait))
        assert (decision.state, decision.outputs) == (None, ())


def test_orders_under_way_stay() -> None:
    refunding = hear(shipped(), advancing(OrderStatus.DELIVERED), advancing(OrderStatus.REFUNDED)).state
    assert refunding is not None
    for state in (confirmed(), shipped(), refunding):
        assert due(POLICY, state) is None
        assert hear(state, timer(ORDER_DUE, ORDER_ID, DEADLINE * 2)).state is state


def test_a_refusal_names_the_command() -> None:
    assert refusal(hear(None, advancing(OrderStatus.SHIPPED))).command == ORDER_ADVANCE.name
