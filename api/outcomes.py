"""Which messages end a command: the topics to listen to under the command's key, and what they mean."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from api.tail import Heard
from schemas.envelope import Message
from schemas.order import OrderRejected, OrderStatus
from topics import registry as t
from topics.topic import Topic

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


@dataclass(frozen=True)
class Expectation:
    """What ends a command: the first message on `topics`, under the command's key, that `matches`."""

    topics: tuple[Topic[Any], ...]
    matches: Callable[[Message[Any], Heard], bool]

    def ends(self, command: Message[Any], heard: Heard) -> bool:
        """Whether `heard` ends `command`."""
        return self.matches(command, heard)


def _caused_by(command: Message[Any], heard: Heard) -> bool:
    return heard.message.causation_id == command.event_id


def _any(_command: Message[Any], _heard: Heard) -> bool:
    return True


CART = Expectation((t.CART_UPDATED, t.CART_REJECTED), _caused_by)
PRODUCT = Expectation((*PRODUCT_EVENTS, t.PRODUCT_REJECTED), _caused_by)
STOCK = Expectation((t.INVENTORY_UPDATED, t.INVENTORY_REFUSED), _caused_by)
ORDER = Expectation((*ORDER_EVENTS, t.ORDER_REJECTED), _caused_by)
# A checkout is the beginning of its order id, so whatever ends that id ends it, whoever caused it.
CHECKOUT = Expectation((t.ORDER_CONFIRMED, t.ORDER_CANCELLED, t.CHECKOUT_FAILED), _any)


def advance_to(status: OrderStatus) -> Expectation:
    """Return what ends a command that moves an order to `status`.

    The move may wait for the payment's capture or refund, so its cause can be another message.
    """

    def matches(command: Message[Any], heard: Heard) -> bool:
        data = heard.message.data
        if isinstance(data, OrderRejected):
            refund_failed = status is OrderStatus.REFUNDED and data.reason == "refund_failed"
            return refund_failed or _caused_by(command, heard)
        return data.status in (status, OrderStatus.CANCELLED, OrderStatus.REFUNDED)

    return Expectation((*ORDER_EVENTS, t.ORDER_REJECTED), matches)
