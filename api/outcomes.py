"""Which messages end a command: the topics to listen to under the command's key, and what they mean."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from api.heard import Heard
from schemas.refusal import Refusal
from topics import registry as t
from topics.topic import RawTopic, Topic

ORDER_EVENTS: tuple[Topic[Any], ...] = (
    t.ORDER_PLACED,
    t.ORDER_CONFIRMED,
    t.ORDER_PROCESSING,
    t.ORDER_SHIPPED,
    t.ORDER_DELIVERED,
    t.ORDER_CANCELLED,
    t.ORDER_RETURNED,
    t.ORDER_REFUNDED,
)
PRODUCT_EVENTS: tuple[Topic[Any], ...] = (t.PRODUCT_CREATED, t.PRODUCT_UPDATED, t.PRODUCT_DELETED)
REFUSALS: tuple[Topic[Any], ...] = (
    t.CART_REJECTED,
    t.ORDER_REJECTED,
    t.INVENTORY_REFUSED,
    t.PRODUCT_REJECTED,
    t.CHECKOUT_FAILED,
)
LISTENED: tuple[Topic[Any], ...] = (
    t.CART_UPDATED,
    t.INVENTORY_UPDATED,
    t.SERVICE_PONG,
    *ORDER_EVENTS,
    *PRODUCT_EVENTS,
    *REFUSALS,
)
LETTERS: tuple[RawTopic, ...] = tuple(
    t.DEAD_LETTERS[domain] for domain in ("cart", "checkout", "inventory", "order", "product")
)
"""Where the dataflow puts commands that it could not carry out; sinks' letters are of what was."""


def _refusal(heard: Heard) -> bool:
    return heard.topic in REFUSALS


@dataclass(frozen=True)
class Expectation:
    """What ends a command: the first message on `topics`, under the command's key, that `matches`.

    `refuses` says whether that is a refusal: nothing else may be told as a success.
    """

    topics: tuple[Topic[Any], ...]
    matches: Callable[[str, Heard], bool]
    refuses: Callable[[Heard], bool] = _refusal

    def ends(self, command_id: str, heard: Heard) -> bool:
        """Whether `heard` ends the command."""
        if heard.letter is not None:
            return heard.message.event_id == command_id
        return self.matches(command_id, heard)


def _caused_by(command_id: str, heard: Heard) -> bool:
    """Whether `heard` answers the command: one that had to wait is named, since its cause is another."""
    named = getattr(heard.message.data, "command_id", None)
    return (named or heard.message.causation_id) == command_id


def _moves_nothing(heard: Heard) -> bool:
    # What another command brought in under the same id is as this one wanted it.
    return _refusal(heard) and heard.message.data.reason != Refusal.ALREADY_APPLIED


def _no_order(heard: Heard) -> bool:
    return _refusal(heard) or heard.topic is t.ORDER_CANCELLED


def _ends_order(_command_id: str, heard: Heard) -> bool:
    # Of an order at other prices the cancellation tells which, and the two topics come in any order.
    return heard.topic is not t.CHECKOUT_FAILED or heard.message.data.reason != Refusal.PRICE_CHANGED


CART = Expectation((t.CART_UPDATED, t.CART_REJECTED), _caused_by)
PRODUCT = Expectation((*PRODUCT_EVENTS, t.PRODUCT_REJECTED), _caused_by)
STOCK = Expectation((t.INVENTORY_UPDATED, t.INVENTORY_REFUSED), _caused_by, _moves_nothing)
ORDER = Expectation((*ORDER_EVENTS, t.ORDER_REJECTED), _caused_by)
# A checkout is the beginning of its order id, so whatever ends that id ends it, whoever caused it.
CHECKOUT = Expectation((t.ORDER_CONFIRMED, t.ORDER_CANCELLED, t.CHECKOUT_FAILED), _ends_order, _no_order)

OF_COMMAND: dict[str, Expectation] = {
    **{each.name: CART for each in (t.CART_ADD, t.CART_CHANGE, t.CART_REMOVE, t.CART_CLEAR, t.CART_MERGE)},
    **{each.name: PRODUCT for each in (t.PRODUCT_CREATE, t.PRODUCT_UPDATE, t.PRODUCT_DELETE)},
    **{each.name: STOCK for each in (t.INVENTORY_RECEIVE, t.INVENTORY_ADJUST)},
    **{each.name: ORDER for each in (t.ORDER_CANCEL, t.ORDER_ADVANCE)},
    t.CHECKOUT_REQUESTED.name: CHECKOUT,
}
"""What ends each command, by the command's topic."""

READS: dict[str, tuple[str, ...]] = {
    "ecommerce.streams": tuple(OF_COMMAND),
    "ecommerce.payment-gateway": (t.PAYMENT_INSTRUCT.name,),
}
"""The commands that wait for each consumer group, also where it has never read any of them."""
