"""Records that somebody has told a consumer to leave: who did it and why, kept in a compacted topic.

A record can stop its partition where nothing that the consumer does with it ends well: a state that does not
decode, a view's server that breaks at it. `ecommerce dlq skip` writes here, and every consumer looks here,
when it starts and from then on; it buries the record without looking into it, and goes on.
"""

import asyncio
from contextlib import suppress
from typing import Final, Self

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from topics.follower import Follower
from topics.registry import SKIPS
from topics.settings import Settings

log = structlog.get_logger(__name__)

REASON: Final = "skipped"
_ABSENT_S: Final = 60.0
_LOAD_S: Final = 4.0
"""How long a start waits for what is written; it goes on by what comes later."""
_PLACE = TopicPartition(SKIPS.name, 0)


class SkippedError(Exception):
    """A record was left because somebody said so; the text says who, and why."""


class Skip(msgspec.Struct, frozen=True):
    """One record to be left by one consumer: a flow, the gateway, a sink. `at` is in ms."""

    consumer: str
    topic: str
    partition: int
    offset: int
    by: str
    note: str
    at: int

    @property
    def key(self) -> bytes:
        """Return the key under which it is kept."""
        return f"{self.consumer}/{self.topic}/{self.partition}/{self.offset}".encode()


class Skips:
    """What is to be left, by consumer and place."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str, int, int], Skip] = {}

    def __bool__(self) -> bool:
        return bool(self._asked)

    def add(self, skip: Skip) -> None:
        """Take note of one."""
        self._asked[skip.consumer, skip.topic, skip.partition, skip.offset] = skip

    def of(self, consumer: str, topic: str, partition: int, offset: int) -> SkippedError | None:
        """Return why a consumer has to leave a record; None where it has not."""
        skip = self._asked.get((consumer, topic, partition, offset))
        return None if skip is None else SkippedError(f"skipped by {skip.by}: {skip.note}")


NONE: Final = Skips()
"""Nothing is to be left."""


class SkipsFollower:
    """Reads what is to be left, and goes on reading; an async context manager, or start and stop it."""

    def __init__(self, settings: Settings) -> None:
        self.skips = Skips()
        self._loaded = asyncio.Event()
        self._follower = Follower(settings, SKIPS.name, self._read)

    async def start(self) -> None:
        """Read what is there by now, and the rest in the background; a broker that is away is waited for."""
        self._follower.start()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._loaded.wait(), _LOAD_S)

    async def stop(self) -> None:
        """Read no more."""
        await self._follower.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        while SKIPS.name not in await consumer.topics():
            # A platform that an older release has set up: nobody can have asked for anything.
            self._loaded.set()
            await asyncio.sleep(_ABSENT_S)
        consumer.assign([_PLACE])
        await consumer.seek_to_beginning(_PLACE)
        end = (await consumer.end_offsets([_PLACE]))[_PLACE]
        while True:
            if await consumer.position(_PLACE) >= end:
                self._loaded.set()
            for record in (await consumer.getmany(_PLACE, timeout_ms=1_000)).get(_PLACE, ()):
                self._take(record.value, record.offset)

    def _take(self, value: bytes | None, offset: int) -> None:
        try:
            skip = msgspec.json.decode(value or b"", type=Skip)
        except msgspec.MsgspecError as error:
            log.warning("unreadable skip", offset=offset, reason=str(error))
            return
        self.skips.add(skip)
