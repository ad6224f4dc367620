"""Reading a topic in the background, beside a process's work, for as long as the process runs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import stamina
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from topics.consumers import reader_async
from topics.identity import TopicMadeAnewError, watch
from topics.settings import Settings

_RETRY_S: Final = 1.0

Read = Callable[[AIOKafkaConsumer], Awaitable[None]]
"""Reads by a started consumer that has no group and no partitions yet, for ever."""


class Follower:
    """Calls `read` in the background, again wherever the broker is away or the topic was made anew.

    It waits by itself for a broker that is down. Where `read` is called again it begins anew.
    """

    def __init__(self, settings: Settings, topic: str, read: Read) -> None:
        self._settings = settings
        self._topic = topic
        self._read = read
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read."""
        self._running = asyncio.create_task(self._run(), name=f"follow {self._topic}")

    async def stop(self) -> None:
        """Read no more."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait((self._running,))
            self._running = None

    async def _run(self) -> None:
        async for attempt in stamina.retry_context(
            on=(KafkaError, TopicMadeAnewError),
            attempts=None,
            timeout=None,
            wait_initial=_RETRY_S,
            wait_max=10 * _RETRY_S,
        ):
            with attempt:
                await self._follow()

    async def _follow(self) -> None:
        consumer = reader_async(self._settings, f"follow-{self._topic}")
        tasks: set[asyncio.Future[None]] = set()
        try:
            await consumer.start()
            tasks = {
                asyncio.ensure_future(self._read(consumer)),
                asyncio.ensure_future(watch(self._settings, [self._topic], {})),
            }
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await consumer.stop()
