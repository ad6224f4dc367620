"""The archive's writers on a folder and on S3: whoever writes what again, each record lies there once."""

import asyncio
import random

import pytest

from connectors.archive.layout import DAY_MS
from connectors.archive.reader import in_time_order
from connectors.archive.sink import ArchiveSink
from connectors.archive.store import ArchiveStore
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry, SinkUnavailableError
from tests.stack import Child

TOPIC = "ecommerce.dlq.order"
NOON = 1_767_268_800_000


def log(length: int, chance: random.Random, partition: int = 0) -> list[Record]:
    """A partition's records over three days; offsets have gaps, times go back now and then."""
    records, offset, at = [], 0, NOON
    for number in range(length):
        offset += chance.choice((1, 1, 1, 1, 3))
        at += chance.randrange(-1_000, 3 * DAY_MS // length * 2)
        records.append(Record(TOPIC, partition, offset, at, b"%d" % number, None))
    return records


def entries(records: list[Record]) -> list[Entry[Record]]:
    return [Entry(record, (record,)) for record in records]


def held(place: str) -> list[Record]:
    read = in_time_order(ArchiveStore(place), [TOPIC], lambda _: True)
    return sorted(read, key=lambda record: (record.partition, record.offset))


async def test_members_that_repeat_one_another_write_each_record_once(place: str) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)  # noqa: T201 (shown where the test fails)
    chance = random.Random(seed)
    partitions = [log(150, chance, partition) for partition in range(2)]

    committed = [0, 0]

    async def member(sink: ArchiveSink) -> None:
        # A member reads on from what was committed when it got the partition; most of what it writes it never
        # commits: it died, or lost the partition without knowing it.
        for _ in range(12):
            partition = chance.randrange(2)
            records = partitions[partition]
            begin = committed[partition]
            for _ in range(chance.randrange(1, 4)):
                end = min(len(records), begin + chance.randrange(1, 40))
                await sink.write(entries(records[begin:end]))
                begin = end
                if chance.random() < 0.4:
                    committed[partition] = max(committed[partition], end)
                await asyncio.sleep(0)

    await asyncio.gather(*(member(ArchiveSink(place)) for _ in range(4)))
    last = ArchiveSink(place)
    for partition, records in enumerate(partitions):
        if rest := records[committed[partition] :]:
            await last.write(entries(rest))
    assert held(place) == [record for records in partitions for record in records]


async def test_offsets_that_were_lost_change_nothing(place: str) -> None:
    records = log(50, random.Random(1))
    await ArchiveSink(place).write(entries(records))
    await ArchiveSink(place).write(entries(records))
    assert held(place) == records


async def test_another_clusters_records_are_not_mixed_in(place: str) -> None:
    ours, theirs = log(20, random.Random(1)), log(30, random.Random(2))
    await ArchiveSink(place).write(entries(ours))
    with pytest.raises(SinkUnavailableError, match="another cluster"):
        await ArchiveSink(place).write(entries(theirs))
    assert held(place) == ours


async def test_a_server_that_is_away_is_unavailable_and_nothing_is_lost(s3_server: Child) -> None:
    records = log(20, random.Random(1))
    sink = ArchiveSink("s3://archive/shop")
    await sink.write(entries(records[:10]))
    s3_server.kill()
    with pytest.raises(SinkUnavailableError):
        await sink.write(entries(records[10:]))
    s3_server.start()
    await sink.write(entries(records[10:]))
    assert held("s3://archive/shop") == records
