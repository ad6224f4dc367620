"""What people ask of an order."""

from typing import Any

import msgspec
import pytest

from schemas.checkout import Charge
from schemas.envelope import Message
from schemas.order import OrderKind, OrderLine, OrderStatus
from schemas.payment import PaymentRefund, PaymentStatus
from tables.order import Order, Shipment
from tests.unit.streams.order.orders import (
    ORDER_ID,
    POSTAGE,
    advancing,
    after,
    begun,
    cancelling,
    confirmed,
    hear,
    paid,
    placed,
    refusal,
    rejected,
    returning,
    shipped,
)
from tests.unit.streams.said import T0, only, sent
from topics.registry import (
    CART_RESTORE,
    CHECKOUT_FAILED,
    ORDER_CANCELLED,
    ORDER_DELIVERED,
    ORDER_PROCESSING,
    ORDER_REFUNDED,
    ORDER_REJECTED,
    ORDER_RETURNED,
    ORDER_SHIPPED,
    PAYMENT_REFUND,
)

LINE = OrderLine("1", "A", 2, "Lantern", 255)


def test_the_owner_cancels_before_confirmation() -> None:
    decision = hear(placed(), cancelling())
    assert sent(decision) == [ORDER_CANCELLED, CHECKOUT_FAILED, CART_RESTORE]
    order = only(decision, ORDER_CANCELLED).data
    assert (order.reason, order.detail) == ("cancelled_by_customer", "changed my mind")
    assert hear(decision.state, cancelling()).outputs == ()


def test_a_cancellation_after_confirmation_ends_no_checkout_twice() -> None:
    assert sent(hear(confirmed(), cancelling())) == [ORDER_CANCELLED]


def test_staff_cancel_any_order() -> None:
    decision = hear(confirmed(), advancing(OrderStatus.PROCESSING), cancelling("staff", staff=True))
    assert only(decision, ORDER_CANCELLED).data.reason == "cancelled_by_staff"


@pytest.mark.parametrize("sender", [None, "bob"])
def test_nobody_cancels_anothers_order(sender: str | None) -> None:
    decision = hear(placed(), cancelling(sender))
    assert (refusal(decision).reason, refusal(decision).field) == ("forbidden", "user_id")
    assert refusal(decision).status is OrderStatus.PLACED
    assert decision.state == placed()


@pytest.mark.parametrize("state", [shipped(), after(begun(), rejected()), after(returning(LINE))])
def test_what_is_shipped_or_ended_cannot_be_cancelled(state: Order) -> None:
    state = msgspec.structs.replace(state, refunding=False)
    decision = hear(state, cancelling())
    assert refusal(decision).reason == "illegal_move"
    assert hear(decision.state, cancelling()).outputs == ()


def test_unknown_orders_are_refused() -> None:
    for message in (cancelling(), advancing(OrderStatus.PROCESSING)):
        decision = hear(None, message)
        assert (refusal(decision).reason, refusal(decision).status) == ("unknown_order", None)
        assert decision.state is None


def test_staff_move_an_order_on() -> None:
    state: Order | None = hear(confirmed(), paid(PaymentStatus.CAPTURED)).state
    for status, topic in (
        (OrderStatus.PROCESSING, ORDER_PROCESSING),
        (OrderStatus.SHIPPED, ORDER_SHIPPED),
        (OrderStatus.DELIVERED, ORDER_DELIVERED),
    ):
        message = advancing(status, "1Z999" if status is OrderStatus.SHIPPED else None)
        decision = hear(state, message)
        assert only(decision, topic).data.status is status
        assert hear(decision.state, message).outputs == ()
        state = decision.state
    assert state is not None
    assert state.snapshot.tracking == "1Z999"


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (confirmed(), OrderStatus.SHIPPED),
        (confirmed(), OrderStatus.CONFIRMED),
        (confirmed(), OrderStatus.CANCELLED),
        (placed(), OrderStatus.CONFIRMED),
        (placed(), OrderStatus.PROCESSING),
        (placed(), OrderStatus.REFUNDED),
        (shipped(), OrderStatus.PROCESSING),
        (shipped(), OrderStatus.SHIPPED),
        (shipped(), OrderStatus.RETURNED),
    ],
)
def test_illegal_moves_are_refused_with_a_reason(state: Order, status: OrderStatus) -> None:
    decision = hear(state, advancing(status, name="illegal"))
    assert (refusal(decision).reason, refusal(decision).field) == ("illegal_move", "status")
    assert refusal(decision).detail == f"an order cannot go from {state.snapshot.status} to {status}"
    assert decision.state is not None
    assert decision.state.snapshot == state.snapshot


def test_a_refund_is_asked_of_payment_and_done_when_the_money_is_back() -> None:
    asked = hear(shipped(), advancing(OrderStatus.REFUNDED))
    refund = only(asked, PAYMENT_REFUND)
    assert (refund.key, refund.data) == (ORDER_ID, PaymentRefund("refunded_by_staff"))
    assert sent(asked) == [PAYMENT_REFUND]
    for message in (
        cancelling(),
        advancing(OrderStatus.DELIVERED),
        advancing(OrderStatus.REFUNDED, name="2"),
    ):
        assert refusal(hear(asked.state, message)).reason == "refund_pending"
    done = hear(asked.state, paid(PaymentStatus.REFUNDED))
    assert only(done, ORDER_REFUNDED).data.status is OrderStatus.REFUNDED
    command = advancing(OrderStatus.REFUNDED)
    assert only(done, ORDER_REFUNDED).data.command_id == command.event_id
    failed = hear(asked.state, paid(PaymentStatus.FAILED, "refund_failed: no"))
    assert refusal(failed).command_id == command.event_id


@pytest.mark.parametrize(
    "before", [(), (OrderStatus.PROCESSING,), (OrderStatus.PROCESSING, OrderStatus.SHIPPED)]
)
def test_a_refund_of_goods_that_have_not_left_is_refused_and_says_what_to_do(
    before: tuple[OrderStatus, ...],
) -> None:
    """The last is a shipment that waits for the money."""
    here = hear(confirmed(), *map(advancing, before)).state
    decision = hear(here, advancing(OrderStatus.REFUNDED))
    assert sent(decision) == [ORDER_REJECTED]
    assert (refusal(decision).reason, refusal(decision).field) == ("not_shipped", "status")
    assert "cancel it" in (refusal(decision).detail or "")
    assert ORDER_CANCELLED in sent(hear(decision.state, cancelling()))


def test_a_cancellation_gives_up_a_shipment_that_waits() -> None:
    processing, ship = advancing(OrderStatus.PROCESSING), advancing(OrderStatus.SHIPPED)
    decision = hear(confirmed(), processing, ship, cancelling())
    assert sent(decision) == [ORDER_CANCELLED, ORDER_REJECTED]
    told = only(decision, ORDER_REJECTED).data
    assert (told.command_id, told.reason) == (ship.event_id, "shipment_called_off")
    assert told.status is OrderStatus.CANCELLED
    assert hear(decision.state, paid(PaymentStatus.CAPTURED)).outputs == ()


def test_a_shipment_asked_for_again_takes_the_place_of_the_one_that_waits() -> None:
    first, second = (advancing(OrderStatus.SHIPPED, number, name=number) for number in ("1Z1", "1Z2"))
    decision = hear(confirmed(), advancing(OrderStatus.PROCESSING), first, second)
    assert only(decision, ORDER_REJECTED).data.command_id == first.event_id
    shipped_now = only(hear(decision.state, paid(PaymentStatus.CAPTURED)), ORDER_SHIPPED).data
    assert (shipped_now.tracking, shipped_now.command_id) == ("1Z2", second.event_id)


def test_a_shipment_of_an_unknown_command_is_called_off_in_silence() -> None:
    waiting = hear(confirmed(), advancing(OrderStatus.PROCESSING), advancing(OrderStatus.SHIPPED)).state
    assert waiting is not None
    older = msgspec.structs.replace(waiting, shipment=Shipment("1Z1"))
    assert sent(hear(older, cancelling())) == [ORDER_CANCELLED]


def test_money_that_went_back_calls_a_shipment_off() -> None:
    waiting = hear(confirmed(), advancing(OrderStatus.PROCESSING), advancing(OrderStatus.SHIPPED)).state
    decision = hear(waiting, paid(PaymentStatus.REFUNDED))
    assert sent(decision) == [ORDER_REFUNDED, ORDER_REJECTED]
    assert hear(decision.state, paid(PaymentStatus.CAPTURED)).outputs == ()


def test_returned_goods_make_a_return_with_its_totals() -> None:
    lines = (LINE, OrderLine("2", "B", 1, agreed_price=90))
    decision = hear(None, returning(*lines, charges=(POSTAGE,)))
    event = only(decision, ORDER_RETURNED)
    order = event.data
    assert (event.key, event.version) == (ORDER_ID, T0)
    assert (order.kind, order.status, order.user_id) == (OrderKind.RETURN, OrderStatus.RETURNED, "ann")
    assert (order.goods, order.charged, order.total) == (600, 800, 1400)
    assert [line.unit_price for line in order.lines] == [255, 90]
    assert (order.placed_at, order.reason, order.cart_id) == (T0, "broken", None)
    refunded = hear(decision.state, paid(PaymentStatus.CREDITED))
    assert only(refunded, ORDER_REFUNDED).data.kind is OrderKind.RETURN


def test_a_return_keeps_the_time_that_its_source_gives() -> None:
    decision = hear(None, returning(LINE, placed_at=1_291_193_160_000))
    assert only(decision, ORDER_RETURNED).data.placed_at == 1_291_193_160_000


def test_charges_alone_can_be_returned() -> None:
    assert only(hear(None, returning(charges=(POSTAGE,))), ORDER_RETURNED).data.total == 800


def test_a_return_is_taken_once() -> None:
    state = after(returning(LINE))
    assert hear(state, returning(LINE)).state is state
    assert hear(state, returning(LINE)).outputs == ()
    other = hear(state, returning(LINE, name="second"))
    assert refusal(other).reason == "already_exists"
    assert hear(other.state, returning(LINE, name="second")).outputs == ()


def test_the_credit_of_a_return_can_be_tried_again_once_it_failed() -> None:
    state = after(returning(LINE))
    early = hear(state, advancing(OrderStatus.REFUNDED))
    assert refusal(early).reason == "refund_pending"
    failed = hear(state, paid(PaymentStatus.FAILED, "credit_failed: closed account"))
    assert sent(failed) == [ORDER_REJECTED]
    assert sent(hear(failed.state, advancing(OrderStatus.REFUNDED))) == [PAYMENT_REFUND]


@pytest.mark.parametrize(
    ("message", "reason", "field"),
    [
        (returning(), "empty_return", "lines"),
        (returning(LINE, LINE), "duplicate_line", "lines"),
        (returning(OrderLine("1", "", 1, unit_price=1)), "invalid_sku", "lines.sku"),
        (returning(OrderLine("1", "A", 0, unit_price=1)), "invalid_quantity", "lines.quantity"),
        (returning(OrderLine("1", "A", 1)), "invalid_price", "lines.unit_price"),
        (returning(OrderLine("1", "A", 1, unit_price=-1)), "invalid_price", "lines.unit_price"),
        (returning(charges=(Charge("D", "Discount", 1, -5),)), "invalid_total", "charges"),
    ],
)
def test_an_unsound_return_is_refused_with_its_field(message: Message[Any], reason: str, field: str) -> None:
    decision = hear(None, message)
    assert (refusal(decision).reason, refusal(decision).field) == (reason, field)
    assert decision.state is None
