"""A table's changelog full of states, as a worker that ran for long would have left it."""

import random
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from confluent_kafka import murmur2

from schemas.cart import CartAdd, CartLine
from schemas.envelope import fresh_id
from schemas.inventory import InventoryReserve, QuotedLine, RequestedLine
from streams.cart.agent import FLOW as CART_FLOW
from streams.inventory.stock.agent import FLOW as STOCK_FLOW
from streams.kernel.flow import Flow
from streams.kernel.layout import NUL, part_key
from tables.cart import CART, Cart
from tables.inventory.stock import STOCK, Facts, Reservation, Stock
from tables.parts import Parts
from tests.bench.broker import Parcel, fill
from topics.command import command
from topics.registry import CART_ADD, CART_UPDATED, INVENTORY_LINE_RESERVED, INVENTORY_RESERVE
from topics.settings import Settings
from topics.topic import Topic
from topics.wire import decode, encode

SKUS = 10_000
CURRENCY = "GBP"
PIECES = 1_000_000


class Population(Protocol):
    """States of one flow's table; `things` of them are carts or reservations.

    `probe` makes a command for a key whose answer, on `answers`, shows that its state was there.
    """

    flow: Flow[Any]
    keys: Sequence[str]
    things: int
    answers: Topic[Any]

    def states(self) -> Iterator[Parcel]:
        """Yield the changelog's records."""

    def probe(self, key: str) -> tuple[str, Parcel]:
        """Return the key of the answer and the command."""

    def shows(self, value: bytes) -> bool:
        """Tell whether an answer rests on the state that was there."""


def settle(population: Population, settings: Settings) -> None:
    """Put the states into the changelog, each part beside its state."""

    def partition(key: bytes) -> int:
        return murmur2(key.partition(NUL)[0], settings.partitions)

    fill(settings, population.states(), partition)


class Carts:
    """Carts of two lines each."""

    flow: Flow[Any] = CART_FLOW
    answers: Topic[Any] = CART_UPDATED

    def __init__(self, count: int) -> None:
        self.keys: Sequence[str] = [fresh_id() for _ in range(count)]
        self.things = count

    def states(self) -> Iterator[Parcel]:
        """Yield the carts."""
        topic, now = CART.changelog.name, time.time_ns() // 1_000_000
        for number, key in enumerate(self.keys):
            lines = tuple(CartLine(sku, sku, 1) for sku in (_sku(number), _sku(number + SKUS // 2)))
            cart = Cart(version=now, updated_at=now, lines=lines, applied=(key,))
            yield topic, key.encode(), CART.encode(cart)

    def probe(self, key: str) -> tuple[str, Parcel]:
        """Return a command that adds a third line."""
        return key, _parcel(CART_ADD, key, CartAdd((CartLine("PROBE", "PROBE", 1),)))

    def shows(self, value: bytes) -> bool:
        """Tell whether the cart has its first two lines, too."""
        return len(decode(CART_UPDATED, value).data.lines) > 1


class Reservations:
    """Stocks of 10,000 SKUs with open reservations in equal parts."""

    flow: Flow[Any] = STOCK_FLOW
    answers: Topic[Any] = INVENTORY_LINE_RESERVED

    def __init__(self, count: int) -> None:
        self.keys: Sequence[str] = [_sku(number) for number in range(SKUS)]
        self.things = count

    def states(self) -> Iterator[Parcel]:
        """Yield the stocks and their reservations."""
        topic, each = STOCK.changelog.name, max(1, self.things // SKUS)
        for key in self.keys:
            line = QuotedLine(key, key, f"Product {key}", 1, 999)
            stock = Stock(
                version=each + 1,
                on_hand=PIECES,
                reserved=each,
                received=PIECES,
                facts=Facts(1, f"Product {key}", 999, CURRENCY, active=True, low_stock_threshold=10),
                open=each,
                orders=Parts(each),
            )
            yield topic, key.encode(), STOCK.encode(stock)
            entry = STOCK.encode_part(Reservation(1, (line,)))
            for _ in range(each):
                yield topic, part_key(key.encode(), fresh_id()), entry

    def probe(self, key: str) -> tuple[str, Parcel]:
        """Return a command that reserves a piece."""
        order = fresh_id()
        return order, _parcel(
            INVENTORY_RESERVE, key, InventoryReserve(order, CURRENCY, (RequestedLine("1", 1),))
        )

    def shows(self, value: bytes) -> bool:
        """Tell whether the price was known."""
        return decode(INVENTORY_LINE_RESERVED, value).data.lines[0].unit_price == 999


def sample(keys: Sequence[str], count: int, seed: int) -> list[str]:
    """Return some of the keys."""
    return random.Random(seed).sample(keys, min(count, len(keys)))


def _sku(number: int) -> str:
    return f"SKU-{number % SKUS:05}"


def _parcel(topic: Topic[Any], key: str, data: Any) -> Parcel:
    return topic.name, key.encode(), encode(topic, command(topic, key, data, source="bench"))
