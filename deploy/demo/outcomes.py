"""Follows how orders end, so that a replay never runs far ahead of the platform."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.demo.in_flight import ENDS, InFlight
from topics.consumers import reader_async
from topics.settings import Settings


class StalledError(Exception):
    """Nothing that was sent has ended for a long time."""


class Outcomes:
    """Reads the events that end checkouts and returns, from now on; an async context manager.

    `stall_s` is how long nothing may end, while something is in flight, before waiting raises StalledError.
    """

    def __init__(self, settings: Settings, stall_s: float = 300.0) -> None:
        self._settings = settings
        self._stall_s = stall_s
        self._ended = asyncio.Event()
        self._last_end = time.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self.in_flight = InFlight()

    async def __aenter__(self) -> Self:
        consumer = reader_async(self._settings, "demo-outcomes", beyond="latest")
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
        if not self.in_flight:
            self._last_end = time.monotonic()
        self.in_flight.expect(order_id, cart_id)

    async def until(self, most: int, stopped: Callable[[], bool] = lambda: False) -> None:
        """Wait until at most `most` are in flight, or `stopped`.

        Raises StalledError where nothing ends any more.
        """
        while len(self.in_flight) > most and not stopped():
            self._ended.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), 1.0)
            quiet = time.monotonic() - self._last_end
            if quiet > self._stall_s:
                raise StalledError(f"none ended for {quiet:.0f} s, {self.in_flight.waits_for()}")

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            if self.in_flight.take(
                record.topic, (record.key or b"").decode(errors="replace"), record.value or b""
            ):
                self._last_end = time.monotonic()
                self._ended.set()
