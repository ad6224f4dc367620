"""What ends a checkout: it begins its order id, so whatever ends that ends it, whoever caused it."""

from api.expectation import Expectation, Outcomes
from api.heard import Heard
from schemas.refusal import Refusal
from topics.checkout import CHECKOUT_FAILED, CHECKOUT_REQUESTED
from topics.order import ORDER_CANCELLED, ORDER_CONFIRMED


def _ends_order(_command_id: str, heard: Heard) -> bool:
    # Of an order at other prices the cancellation tells which, and the two topics come in any order.
    return heard.topic is not CHECKOUT_FAILED or heard.message.data.reason != Refusal.PRICE_CHANGED


def _no_order(heard: Heard) -> bool:
    return heard.topic in (CHECKOUT_FAILED, ORDER_CANCELLED)


OUTCOMES: Outcomes = {
    CHECKOUT_REQUESTED: Expectation(
        (ORDER_CONFIRMED, ORDER_CANCELLED, CHECKOUT_FAILED), _ends_order, _no_order
    )
}
