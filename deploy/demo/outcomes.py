"""Follows how orders end, so that a replay never runs far ahead of the platform."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.cart import CartRejected
from schemas.codec import UndecodableError
from schemas.order import OrderRejected
from topics.registry import (
    CART_REJECTED,
    CHECKOUT_COMPLETED,
    CHECKOUT_FAILED,
    CHECKOUT_REQUESTED,
    ORDER_REFUNDED,
    ORDER_REJECTED,
    ORDER_RETURN,
    TOPICS,
)
from topics.settings import Settings
from topics.wire import decode

ENDS = (CHECKOUT_COMPLETED, CHECKOUT_FAILED, ORDER_REFUNDED, ORDER_REJECTED, CART_REJECTED)
_WENT_WELL = frozenset({CHECKOUT_COMPLETED.name, ORDER_REFUNDED.name})


class StalledError(Exception):
    """Nothing that was sent has ended for a long time."""


class Outcomes:
    """Counts what is in flight, from the events that end a checkout or a return; an async context manager.

    `stall_s` is how long nothing may end, while something is in flight, before waiting raises StalledError.
    """

    def __init__(self, settings: Settings, stall_s: float = 300.0) -> None:
        self._settings = settings
        self._stall_s = stall_s
        self._orders: dict[str, str | None] = {}
        self._carts: dict[str, str] = {}
        self._ended = asyncio.Event()
        self._last_end = time.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self.done = 0
        self.failed: Counter[str] = Counter()

    @property
    def in_flight(self) -> int:
        """Return how many orders and returns have begun and not ended."""
        return len(self._orders)

    async def __aenter__(self) -> Self:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap,
            client_id="ecommerce-demo-outcomes",
            enable_auto_commit=False,
        )
        await consumer.start()
        partitions = [
            TopicPartition(topic.name, partition)
            for topic in ENDS
            for partition in range(topic.partitions or self._settings.partitions)
        ]
        consumer.assign(partitions)
        await consumer.seek_to_end()
        # Resolve the positions now: what is sent after this must not be missed.
        for partition in partitions:
            await consumer.position(partition)
        self._consumer = consumer
        self._task = asyncio.create_task(self._follow(consumer))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._consumer is not None:
            await self._consumer.stop()

    def expect(self, order_id: str, cart_id: str | None = None) -> None:
        """Take an order or return as begun; its cart may end it too."""
        if not self._orders:
            self._last_end = time.monotonic()
        self._orders[order_id] = cart_id
        if cart_id is not None:
            self._carts[cart_id] = order_id

    async def until(self, most: int, stopped: Callable[[], bool] = lambda: False) -> None:
        """Wait until at most `most` are in flight, or `stopped`.

        Raises StalledError where nothing ends any more.
        """
        while self.in_flight > most and not stopped():
            self._ended.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), 1.0)
            quiet = time.monotonic() - self._last_end
            if quiet > self._stall_s:
                raise StalledError(
                    f"{self.in_flight} orders are in flight and none has ended for {quiet:.0f} s"
                )

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            key = (record.key or b"").decode(errors="replace")
            order = self._carts.get(key, key)
            if order not in self._orders:
                continue
            if record.topic in _WENT_WELL:
                self.done += 1
            elif (reason := _failure(record.topic, record.value)) is not None:
                self.failed[reason] += 1
            else:
                continue
            self._forget(order)

    def _forget(self, order: str) -> None:
        cart = self._orders.pop(order)
        if cart is not None:
            self._carts.pop(cart, None)
        self._last_end = time.monotonic()
        self._ended.set()


def _failure(topic: str, value: bytes) -> str | None:
    """Return why an order ended without success; None where a refusal did not end it."""
    try:
        data = decode(TOPICS[topic], value).data
    except UndecodableError:
        return "undecodable"
    if isinstance(data, CartRejected | OrderRejected):
        # A refused line is one thing; the checkout or return itself being refused is the end.
        ended = data.command in {CHECKOUT_REQUESTED.name, ORDER_RETURN.name}
        return f"{data.reason} ({data.field}: {data.detail})" if ended else None
    return str(getattr(data, "reason", topic))
