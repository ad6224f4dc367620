from typing import Any

import pytest

from deploy.demo.in_flight import InFlight
from schemas.cart import CartRejected
from schemas.checkout import CheckoutCompleted, CheckoutFailed
from schemas.order import OrderRejected
from topics.command import command
from topics.registry import (
    CART_ADD,
    CART_CHANGE,
    CART_REJECTED,
    CHECKOUT_COMPLETED,
    CHECKOUT_FAILED,
    CHECKOUT_REQUESTED,
    ORDER_REJECTED,
    ORDER_RETURN,
)
from topics.topic import Topic
from topics.wire import encode

ORDER = "11111111-1111-5111-8111-111111111111"
CART = "22222222-2222-5222-8222-222222222222"


def record(topic: Topic[Any], key: str, data: Any) -> tuple[str, str, bytes]:
    return topic.name, key, encode(topic, command(topic, key, data))


@pytest.fixture
def flying() -> InFlight:
    flight = InFlight()
    flight.expect(ORDER, CART)
    return flight


def test_a_completed_checkout_ends_its_order_once(flying: InFlight) -> None:
    ended = record(CHECKOUT_COMPLETED, ORDER, CheckoutCompleted(CART, 1530, "GBP"))
    assert flying.take(*ended)
    assert not flying.take(*ended)
    assert (len(flying), flying.done, flying.failed) == (0, 1, {})


def test_a_failed_checkout_ends_its_order_with_a_reason(flying: InFlight) -> None:
    assert flying.take(*record(CHECKOUT_FAILED, ORDER, CheckoutFailed(CART, "payment_failed", "declined")))
    assert (len(flying), flying.done, flying.failed) == (0, 0, {"payment_failed": 1})


def test_a_refused_checkout_ends_the_order_of_its_cart(flying: InFlight) -> None:
    refusal = CartRejected(CHECKOUT_REQUESTED.name, "frozen", "cart_id", "is frozen")
    assert flying.take(*record(CART_REJECTED, CART, refusal))
    assert flying.failed == {"frozen (cart_id: is frozen)": 1}


def test_a_refused_line_ends_the_order_whose_cart_can_never_be_complete(flying: InFlight) -> None:
    refusal = CartRejected(CART_ADD.name, "too_many_lines", "lines", "at most 100")
    assert flying.take(*record(CART_REJECTED, CART, refusal))
    assert flying.failed == {"too_many_lines (lines: at most 100)": 1}
    assert not flying.take(*record(CHECKOUT_FAILED, ORDER, CheckoutFailed(CART, "incomplete_cart", "late")))


def test_a_refusal_of_anything_else_does_not_end_the_order(flying: InFlight) -> None:
    refusal = CartRejected(CART_CHANGE.name, "unknown_line", "line_id", "there is none")
    assert not flying.take(*record(CART_REJECTED, CART, refusal))
    assert flying.waits_for() == f"1 orders are under way, the first of them: {ORDER}"


def test_a_refused_return_ends_it() -> None:
    flight = InFlight()
    flight.expect(ORDER)
    refusal = OrderRejected(ORDER_RETURN.name, "already_exists", "order_id", "exists", None)
    assert flight.take(*record(ORDER_REJECTED, ORDER, refusal))
    assert len(flight) == 0


def test_orders_of_others_are_not_ours(flying: InFlight) -> None:
    assert not flying.take(*record(CHECKOUT_COMPLETED, CART[::-1], CheckoutCompleted(CART, 1, "GBP")))
    assert len(flying) == 1


def test_an_end_that_cannot_be_read_is_a_failure(flying: InFlight) -> None:
    assert flying.take(CHECKOUT_FAILED.name, ORDER, b"\x01")
    assert flying.failed == {"undecodable": 1}
