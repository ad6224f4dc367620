"""Following changelogs that other workers write: who takes over after one of them has only a tail to read.

In the worker's own loop, beside the lanes: it reads what has gathered in half a second, in small writes.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from aiokafka.structs import TopicPartition

from streams.kernel.meters import Meters
from streams.kernel.restore import FETCH_BYTES, MAX_AGE_MS, Restorable, first_unread
from topics.consumers import reader_async
from topics.fetch_sessions import keep_fetch_sessions
from topics.settings import Settings

log = structlog.get_logger(__name__)

Stores = Mapping[TopicPartition, Restorable]

POLL_MS: Final = 500
GATHERED_BYTES: Final = 64 * 1024
# A write holds up what the worker owns.
RECORDS_AT_ONCE: Final = 1_000
RENEW_S: Final = MAX_AGE_MS / 1000 / 12
FIRST_PAUSE_S: Final = 0.5
MAX_PAUSE_S: Final = 10.0


class Standby:
    """Keeps stores near the ends of their changelogs, one set of stores at a time.

    `flows` names the flow of each changelog. A broker that is away is waited for; `failed` is told whatever
    else ends it.
    """

    def __init__(
        self,
        settings: Settings,
        flows: Mapping[str, str],
        meters: Meters,
        failed: Callable[[Exception], None],
    ) -> None:
        self._settings = settings
        self._flows = flows
        self._meters = meters
        self._failed = failed
        self._following: asyncio.Task[None] | None = None
        self.followed = 0
        """How many partitions are followed."""

    async def follow(self, stores: Stores) -> None:
        """Follow exactly these from now on."""
        await self.stop()
        if stores:
            self.followed = len(stores)
            self._following = asyncio.create_task(self._run(stores), name="standby")

    async def stop(self) -> None:
        """Write to no store any more: when this returns, they are the caller's."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait((self._following,))
        self._following, self.followed = None, 0
        self._tell({}, {})

    async def _run(self, stores: Stores) -> None:
        pause = FIRST_PAUSE_S
        try:
            while True:
                began = time.monotonic()
                try:
                    await self._follow(stores)
                except OffsetOutOfRangeError as error:
                    for place in error.args[0]:
                        log.warning(
                            "local state emptied", why="its changelog does not go on there", place=place
                        )
                        stores[place].clear()
                except KafkaError as error:
                    log.warning("changelogs not reachable, trying again", error=repr(error))
                pause = (
                    FIRST_PAUSE_S if time.monotonic() - began > MAX_PAUSE_S else min(2 * pause, MAX_PAUSE_S)
                )
                await asyncio.sleep(pause)
        except Exception as error:  # noqa: BLE001 - handed on: a disk that fails here fails what is owned, too
            self._failed(error)

    async def _follow(self, stores: Stores) -> None:
        fetching = {
            "max_partition_fetch_bytes": FETCH_BYTES // 16,
            "fetch_min_bytes": GATHERED_BYTES,
            "fetch_max_wait_ms": POLL_MS,
        }
        consumer = reader_async(self._settings, "standby", beyond="none", tuning=fetching)
        try:
            await consumer.start()
            keep_fetch_sessions(consumer)
            await self._read(consumer, stores, await _seek(consumer, stores))
        finally:
            await consumer.stop()

    async def _read(
        self, consumer: AIOKafkaConsumer, stores: Stores, ends: dict[TopicPartition, int]
    ) -> None:
        began = time.monotonic()
        applied, renewed_at = 0, 0.0
        while True:
            fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS_AT_ONCE)
            for place, records in fetched.items():
                stores[place].write([(record.key, record.value) for record in records], records[-1].offset)
                self._meters.followed(self._flows[place.topic], len(records))
                applied += len(records)
                await asyncio.sleep(0)
            behind = {
                place: max(end, consumer.highwater(place) or 0) - await consumer.position(place)
                for place, end in ends.items()
            }
            self._tell(stores, behind)
            now = time.monotonic()
            if any(behind.values()) or now - renewed_at < RENEW_S:
                continue
            if not renewed_at:
                seconds = round(now - began, 3)
                log.info("standbys caught up", partitions=len(stores), records=applied, seconds=seconds)
            await _renew(consumer, stores)
            renewed_at = now

    def _tell(self, stores: Stores, behind: Mapping[TopicPartition, int]) -> None:
        partitions = Counter(self._flows[place.topic] for place in stores)
        records: Counter[str] = Counter()
        for place, count in behind.items():
            records[self._flows[place.topic]] += count
        for flow in self._flows.values():
            self._meters.standby(flow, partitions[flow], records[flow])


async def _seek(consumer: AIOKafkaConsumer, stores: Stores) -> dict[TopicPartition, int]:
    """Go to where each store is; returns the offsets after the changelogs' last records."""
    starts: dict[TopicPartition, int] = await consumer.beginning_offsets(list(stores))
    ends: dict[TopicPartition, int] = await consumer.end_offsets(list(stores))
    for place, store in stores.items():
        starts[place] = first_unread(store, ends[place] - 1) or starts[place]
        await asyncio.sleep(0)  # it may have been a database to open
    consumer.assign(list(stores))
    for place, offset in starts.items():
        consumer.seek(place, offset)
    return ends


async def _renew(consumer: AIOKafkaConsumer, stores: Stores) -> None:
    """Let stores that lack nothing count as just written: a changelog at rest makes no state too old.

    The broker is asked: one that does not answer may have deleted tombstones meanwhile.
    """
    ends = await consumer.end_offsets(list(stores))
    for place, store in stores.items():
        offset = store.offset()
        if offset is not None and await consumer.position(place) == ends[place]:
            store.write((), offset)
