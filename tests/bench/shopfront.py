"""A running platform's shop as a load sees it: products on sale, carts filled, checkouts asked and heard of.

Everything goes over librdkafka, and what is heard is told apart by topic and key alone, so that the load
takes little of the cores that it measures.
"""

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaException, Message, Producer, TopicPartition

from schemas.cart import CartAdd, CartLine
from schemas.checkout import Address, CheckoutRequested, Consent
from schemas.envelope import fresh_id
from schemas.inventory import InventoryReceive
from schemas.product import ProductCreate
from topics.admin import partitions_of
from topics.command import command
from topics.connection import librdkafka_options
from topics.consumers import reader
from topics.offsets import await_leaders
from topics.registry import (
    CART_ADD,
    CART_UPDATED,
    CHECKOUT_REQUESTED,
    INVENTORY_RECEIVE,
    INVENTORY_UPDATED,
    PRODUCT_CREATE,
    PRODUCT_CREATED,
)
from topics.settings import Settings
from topics.topic import Topic
from topics.wire import encode

SILENCE_S = 60.0
PRICE = 999
"""What a piece of everything costs, in minor units."""

Parcel = tuple[str, bytes, bytes]
"""Topic, key and value of a record that is ready to be sent."""


class SilentError(Exception):
    """What was waited for did not come."""


class Listener:
    """Hears topics from their ends on: the topic and key of each record."""

    def __init__(self, settings: Settings, topics: Iterable[Topic[Any]]) -> None:
        places = {(topic.name, n) for topic in topics for n in range(partitions_of(topic, settings))}
        ends = await_leaders(settings, places)
        self._consumer = reader(settings, "bench", tuning={"fetch.wait.max.ms": 500, "fetch.min.bytes": 1})
        self._consumer.assign([TopicPartition(*place, offset) for place, offset in ends.items()])
        # The first poll connects: what is measured must not wait for that.
        self._first = self._consumer.consume(1, 2.0)

    def heard(self, seconds: float, most: int = 500) -> Iterator[tuple[str, bytes]]:
        """Yield topic and key of what has come, waiting up to `seconds` for the first."""
        records, self._first = self._first, []
        first = self._consumer.poll(seconds) if not records else None
        if first is not None:
            records = [first, *self._consumer.consume(most, 0)]
        for record in records:
            yield _topic_and_key(record)

    def wait(self, count: int, topic: Topic[Any]) -> None:
        """Wait for `count` records of one topic. Raises SilentError after a minute without any."""
        left, last = count, time.monotonic()
        while left > 0:
            for name, _ in self.heard(1.0):
                left -= name == topic.name
                last = time.monotonic()
            if time.monotonic() - last > SILENCE_S:
                raise SilentError(f"{left} of {count} records of {topic.name} did not come")

    def close(self) -> None:
        """Leave."""
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Mouth:
    """Sends parcels without linger, by murmur2 of their keys as the platform does."""

    def __init__(self, settings: Settings) -> None:
        self._failure: str | None = None
        self._producer = Producer(
            {
                **librdkafka_options(settings),
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 0,
                "queue.buffering.max.messages": 1_000_000,
                "log_level": 0,
            }
        )

    def send(self, parcel: Parcel) -> None:
        """Queue one parcel. Raises SilentError where an earlier one was refused."""
        if self._failure:
            raise SilentError(self._failure)
        topic, key, value = parcel
        self._producer.produce(topic, value, key, on_delivery=self._delivered)
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait until the broker has everything."""
        if self._producer.flush(SILENCE_S) or self._failure:
            raise SilentError(self._failure or "the broker did not take everything")

    def _delivered(self, error: object, message: Message) -> None:
        if error is not None:
            self._failure = f"{message.topic()}: {error}"


def _topic_and_key(record: Message) -> tuple[str, bytes]:
    if record.error() is not None:
        raise KafkaException(record.error())
    key = record.key()
    return record.topic() or "", key if isinstance(key, bytes) else b""


def stock_the_shop(settings: Settings, skus: Sequence[str], pieces: int) -> None:
    """Put products on sale with so many pieces each, and wait until the dataflow knows."""
    mouth = Mouth(settings)
    with Listener(settings, (PRODUCT_CREATED, INVENTORY_UPDATED)) as listener:
        for sku in skus:
            made = ProductCreate(f"Bench product {sku}", PRICE, settings.currency, categories=("Bench",))
            mouth.send(parcel(PRODUCT_CREATE, sku, made))
        mouth.flush()
        listener.wait(len(skus), PRODUCT_CREATED)
        for sku in skus:
            came = InventoryReceive(f"opening-{fresh_id()}", pieces, "opening")
            mouth.send(parcel(INVENTORY_RECEIVE, sku, came))
        mouth.flush()
        listener.wait(len(skus), INVENTORY_UPDATED)


def fill_carts(settings: Settings, skus: Sequence[str], count: int, seed: int = 7) -> list[str]:
    """Fill `count` new carts with two lines each, wait until the dataflow has them, and return their ids."""
    chance = random.Random(seed)
    carts = [fresh_id() for _ in range(count)]
    mouth = Mouth(settings)
    with Listener(settings, (CART_UPDATED,)) as listener:
        for cart in carts:
            lines = tuple(CartLine(sku, sku, 1) for sku in chance.sample(skus, 2))
            mouth.send(parcel(CART_ADD, cart, CartAdd(lines)))
        mouth.flush()
        listener.wait(count, CART_UPDATED)
    return carts


def checkouts(settings: Settings, carts: Sequence[str]) -> list[tuple[bytes, Parcel]]:
    """Return a checkout per cart, ready to be sent: the order's id and the record."""
    address = Address("Grace Hopper", "GB", "1 Navy Yard", None, "London", "E1 6AN")
    made = []
    for cart in carts:
        order = fresh_id()
        asked = CheckoutRequested(
            order_id=order,
            currency=settings.currency,
            payment_token="tok_visa",
            email="grace@example.com",
            address=address,
            expected_lines=2,
            consent=Consent(0, 2 * PRICE),
        )
        made.append((order.encode(), parcel(CHECKOUT_REQUESTED, cart, asked)))
    return made


def parcel(topic: Topic[Any], key: str, data: Any) -> Parcel:
    """Return a command, ready to be sent."""
    return topic.name, key.encode(), encode(topic, command(topic, key, data, source="bench"))
