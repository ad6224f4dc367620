"""Writes batches to the archive: each partition's chain of files goes on where it ended."""

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

import structlog

from connectors.archive.layout import Stretch, first_day
from connectors.archive.parquet import last_offset, read, written
from connectors.archive.store import FAILURES, ArchiveStore
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry, Refusal, SinkUnavailableError

log = structlog.get_logger(__name__)

_AT_ONCE = 4
Place = tuple[str, int]


class ArchiveSink:
    """A sink over an archive at `url`.

    Where a partition's chain ends is remembered; where a batch does not begin there, another member has been
    at work and the files are looked at again. What they hold already is left out: offsets may be lost.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._store: ArchiveStore | None = None
        self._ends: dict[Place, int] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def write(self, batch: Sequence[Entry[Record]]) -> Sequence[Refusal]:
        """Write the batch's records that the archive does not hold yet; nothing is refused.

        Raises SinkUnavailableError where the store does not answer, or holds another cluster's records.
        """
        partitions: dict[Place, list[Record]] = defaultdict(list)
        for entry in batch:
            partitions[entry.record.topic, entry.record.partition].append(entry.record)
        try:
            self._store = store = self._store or ArchiveStore(self._url)
            extended = (self._extend(store, records) for records in partitions.values())
            for outcome in await asyncio.gather(*extended, return_exceptions=True):
                if outcome is not None:
                    raise outcome
        except FAILURES as error:
            said = str(error).partition("\n")[0]
            raise SinkUnavailableError(f"{type(error).__name__}: {said}") from error
        return ()

    async def close(self) -> None:
        """Forget the store: each request is on its own."""
        self._store = None

    async def _extend(self, store: ArchiveStore, records: Sequence[Record]) -> None:
        place = (records[0].topic, records[0].partition)
        async with self._places:
            if self._ends.get(place) != records[0].offset - 1:
                self._ends[place] = await self._look(store, records[0])
            while records := [each for each in records if each.offset > self._ends[place]]:
                stretch, day = first_day(records)
                file = await asyncio.to_thread(written, stretch.topic, day)
                if await store.create(stretch, file):
                    self._ends[place] = day[-1].offset
                else:
                    log.info("archive.continued_by_another", file=stretch.path)
                    self._ends[place] = last_offset(await store.get(stretch))

    async def _look(self, store: ArchiveStore, record: Record) -> int:
        """Return the last offset that the archive holds of the record's partition, -1 where none."""
        chain = sorted(
            [each async for each in store.of_topic(record.topic) if each.partition == record.partition]
        )
        if not chain:
            return -1
        end = last_offset(await store.get(chain[-1]))
        if record.offset <= end:
            at = bisect_right([each.first for each in chain], record.offset) - 1
            held = await _records(store, chain[at]) if at >= 0 else []
            same = next((each for each in held if each.offset == record.offset), None)
            if same is None or (same.timestamp, same.key) != (record.timestamp, record.key):
                raise SinkUnavailableError(
                    f"{record.topic}/{record.partition}: the archive at {store.url} has another record at "
                    f"offset {record.offset}: it is another cluster's, give this one a place of its own"
                )
        return end


async def _records(store: ArchiveStore, stretch: Stretch) -> list[Record]:
    file = await store.get(stretch)
    return await asyncio.to_thread(lambda: list(read(stretch.topic, file)))
