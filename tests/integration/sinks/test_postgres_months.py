"""Order events by month on a real server: each in its partition, none lost, and a rebuild swaps them all."""

import asyncio
import calendar
from collections.abc import Iterable
from datetime import UTC, datetime

import asyncpg
import msgspec

from connectors.postgres.sink import PostgresSink
from connectors.postgres.swap import drop, move
from connectors.runtime.record import Record
from sinks.migrate import SCHEMA, migrate
from sinks.postgres import PROJECTIONS, TABLES
from tests.unit.sinks.messages import event, order, uid
from tests.unit.sinks.records import batch, record
from topics import registry as t
from topics.settings import Settings

DEFAULT = "order_events_default"


def placed(name: str, *when: int) -> Record:
    """Return an order that was placed at a time of UTC."""
    message = event(t.ORDER_PLACED, uid(name), 1, order())
    at = calendar.timegm((*when, 0, 0, 0)[:6]) * 1000
    return record(t.ORDER_PLACED, msgspec.structs.replace(message, occurred_at=at))


async def write(sink: PostgresSink, records: Iterable[Record]) -> None:
    assert await sink.write(batch(PROJECTIONS, records)) == ()


async def spread(database: asyncpg.Connection) -> dict[str, int]:
    """Return how many events each partition has; those without any are left out."""
    rows = await database.fetch("SELECT tableoid::regclass::text, count(*) FROM order_events GROUP BY 1")
    return dict(map(tuple, rows))


async def partitions(database: asyncpg.Connection, parent: str = "order_events") -> set[str]:
    rows = await database.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::text::regclass", parent
    )
    return {row[0] for row in rows}


async def test_each_event_lies_in_its_month_and_only_once(
    sink: PostgresSink, database: asyncpg.Connection
) -> None:
    events = [
        placed("a", 2026, 1, 31, 23, 59, 59),
        placed("b", 2026, 2, 1),
        placed("c", 2025, 12, 31),
        placed("d", 2026, 2, 28),
    ]
    for _ in range(2):
        await write(sink, events)
    assert await spread(database) == {
        "order_events_2025_12": 1,
        "order_events_2026_01": 1,
        "order_events_2026_02": 2,
    }


async def test_a_time_that_cannot_be_makes_no_partition_and_is_kept(
    sink: PostgresSink, database: asyncpg.Connection
) -> None:
    before = await partitions(database)
    await write(sink, [placed("a", 9999, 12, 31), placed("b", 1970, 1, 1)])
    assert await spread(database) == {DEFAULT: 2}
    assert await partitions(database) == before


async def test_what_had_no_partition_moves_once_there_is_one(
    sink: PostgresSink, database: asyncpg.Connection, views: str
) -> None:
    reading = await asyncpg.connect(views)
    async with reading.transaction():
        await reading.execute(f"LOCK TABLE {DEFAULT} IN ACCESS SHARE MODE")
        await write(sink, [placed("a", 2026, 3, 1), placed("b", 9999, 1, 1)])
        assert await spread(database) == {DEFAULT: 2}, "a partition that cannot be made holds nobody up"
    await reading.close()
    await sink.close()
    await write(sink, [placed("c", 2026, 3, 31)])
    assert await spread(database) == {"order_events_2026_03": 2, DEFAULT: 1}


async def test_a_month_that_was_detached_is_not_in_the_way(
    sink: PostgresSink, database: asyncpg.Connection
) -> None:
    await write(sink, [placed("a", 2026, 5, 1)])
    await database.execute("ALTER TABLE order_events DETACH PARTITION order_events_2026_05")
    await sink.close()
    await write(sink, [placed("b", 2026, 5, 2)])
    assert await spread(database) == {DEFAULT: 1}


async def test_sinks_that_meet_a_month_at_once_make_one_partition(
    database: asyncpg.Connection, views: str
) -> None:
    sinks = [PostgresSink(views, TABLES) for _ in range(4)]
    await asyncio.gather(
        *(write(each, [placed(f"order-{n}", 2026, 4, n + 1)]) for n, each in enumerate(sinks))
    )
    for each in sinks:
        await each.close()
    assert await spread(database) == {"order_events_2026_04": 4}


async def test_a_swap_takes_the_partitions_along(
    sink: PostgresSink, settings: Settings, database: asyncpg.Connection, views: str
) -> None:
    await write(sink, [placed("old", 2026, 1, 1), placed("far", 9999, 1, 1)])
    await asyncio.to_thread(migrate, settings, "rebuild")
    beside = PostgresSink(views, TABLES, search_path=f"rebuild, {SCHEMA}")
    await write(beside, [placed("old", 2026, 1, 1), placed("new", 2026, 2, 1), placed("far", 9999, 1, 1)])
    async with database.transaction():
        await move(database, TABLES, beside="rebuild", live=SCHEMA, old="retired")
    now = {"order_events_2026_01": 1, "order_events_2026_02": 1, DEFAULT: 1}
    assert await spread(database) == now
    await write(beside, [placed("after", 2026, 3, 1)])
    await write(sink, [placed("live", 2026, 4, 1)])
    await beside.close()
    assert await spread(database) == now | {"order_events_2026_03": 1, "order_events_2026_04": 1}
    assert await database.fetchval("SELECT count(*) FROM retired.order_events_2026_01") == 1
    await drop(views, TABLES, "retired")
    schemas = await database.fetch("SELECT nspname FROM pg_namespace WHERE nspname IN ('rebuild', 'retired')")
    assert schemas == []


async def test_the_migration_keeps_what_is_there(settings: Settings, postgres: str) -> None:
    await asyncio.to_thread(migrate, settings, SCHEMA, "0004")
    database = await asyncpg.connect(postgres)
    await database.execute(
        "INSERT INTO order_events SELECT gen_random_uuid(), gen_random_uuid(), 1, 'x', NULL, at, '{}'"
        " FROM unnest($1::timestamptz[]) AS at",
        [
            datetime(2026, 1, 31, 23, 59, tzinfo=UTC),
            datetime(2026, 2, 1, tzinfo=UTC),
            datetime(900, 1, 1, tzinfo=UTC),
        ],
    )
    before = await database.fetch("SELECT * FROM order_events ORDER BY occurred_at")
    await asyncio.to_thread(migrate, settings, SCHEMA, "0005")
    assert await spread(database) == {"order_events_2026_01": 1, "order_events_2026_02": 1, DEFAULT: 1}
    assert await database.fetch("SELECT * FROM order_events ORDER BY occurred_at") == before
    await database.close()
