"""The connector runtime between a real broker and a real PostgreSQL: nothing lost, nothing doubled."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg
import pytest
from aiokafka import TopicPartition
from prometheus_client import REGISTRY

from connectors.postgres.sink import PostgresSink
from connectors.postgres.table import Row
from connectors.runtime import positions
from connectors.runtime.connector import SinkConnector
from connectors.runtime.dead_letters import DeadLetterTopic
from connectors.runtime.sink import Entry, Refusal
from connectors.runtime.sizing import Limits
from schemas.order import OrderStatus
from sinks.migrate import migrate
from sinks.postgres import PROJECTIONS
from sinks.rows import TABLES
from tests.eventually import eventually_async
from tests.integration.sinks.views import (
    Event,
    caught_up,
    committed,
    connector,
    contents,
    publish,
    running,
)
from tests.stack import Stack
from tests.unit.sinks.messages import event, order, product, stock, uid
from topics import registry as t
from topics.producer import MessageProducer
from topics.settings import Settings

T = TypeVar("T")

pytestmark = pytest.mark.usefixtures("topics_created", "views")


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[MessageProducer]:
    async with MessageProducer(settings, "test") as started:
        yield started


@pytest.fixture
def group(group_suffix: str) -> str:
    return f"ecommerce.test.{group_suffix}"


def story(name: str, orders: int = 40) -> list[Event]:
    """Return the events of some orders and of a product, told by names of this test's own."""
    sku = f"{name}-sku"
    events: list[Event] = [
        (t.PRODUCT_CREATED, event(t.PRODUCT_CREATED, sku, 1, product())),
        (t.PRODUCT_UPDATED, event(t.PRODUCT_UPDATED, sku, 2, product(price=300))),
    ]
    for index in range(orders):
        key = uid(f"{name}-{index}")
        events += [
            (t.ORDER_PLACED, event(t.ORDER_PLACED, key, 1, order())),
            (t.INVENTORY_UPDATED, event(t.INVENTORY_UPDATED, sku, index + 1, stock(100 - index))),
            (t.ORDER_CONFIRMED, event(t.ORDER_CONFIRMED, key, 2, order(OrderStatus.CONFIRMED))),
        ]
    return events


async def confirmed(database: asyncpg.Connection, name: str, orders: int = 40) -> int:
    keys = [uid(f"{name}-{index}") for index in range(orders)]
    found: int = await database.fetchval(
        "SELECT count(*) FROM orders WHERE status = 'confirmed' AND order_id = ANY($1::uuid[])", keys
    )
    return found


class DyingSink(PostgresSink):
    """Writes the first batch that has rows, and dies before the runtime can commit."""

    async def write(self, batch: Sequence[Entry[Row]]) -> Sequence[Refusal]:
        await super().write(batch)
        raise RuntimeError("killed between flush and commit")


class SlowSink(PostgresSink):
    """Takes its batches, but ends no write until it is let."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn, TABLES)
        self.let = asyncio.Event()

    async def write(self, batch: Sequence[Entry[Row]]) -> Sequence[Refusal]:
        await self.let.wait()
        return await super().write(batch)


async def test_a_slow_server_pauses_the_partitions_and_nothing_is_lost(
    settings: Settings, producer: MessageProducer, database: asyncpg.Connection, views: str, group: str
) -> None:
    def paused() -> float | None:
        return REGISTRY.get_sample_value("ecommerce_sink_paused", {"sink": group})

    sink = SlowSink(views)
    slow: SinkConnector[Row] = SinkConnector(
        group,
        PROJECTIONS,
        sink,
        DeadLetterTopic(producer, "postgres", group),
        settings,
        group=group,
        limits=Limits(records=20),
    )
    async with running(slow):
        await publish(producer, story(group))
        await eventually_async(_now(paused), lambda value: value == 1)
        assert slow.healthy, "slow is not away"
        sink.let.set()
        await eventually_async(lambda: confirmed(database, group), lambda found: found == 40)
        await eventually_async(lambda: caught_up(settings, group))
        await eventually_async(_now(paused), lambda value: value == 0)


async def test_what_is_written_is_committed(
    settings: Settings, producer: MessageProducer, database: asyncpg.Connection, views: str, group: str
) -> None:
    await publish(producer, story(group))
    async with running(connector(settings, producer, PostgresSink(views, TABLES), group)):
        await eventually_async(lambda: confirmed(database, group), lambda found: found == 40)
        await eventually_async(lambda: caught_up(settings, group))
    assert await database.fetchval("SELECT price FROM products WHERE sku = $1", f"{group}-sku") == 300
    assert await database.fetchval("SELECT version FROM stock_levels WHERE sku = $1", f"{group}-sku") == 40


async def test_a_crash_between_flush_and_commit_changes_nothing(
    settings: Settings, producer: MessageProducer, database: asyncpg.Connection, views: str, group: str
) -> None:
    await publish(producer, story(group))
    with pytest.raises(RuntimeError, match="between flush and commit"):
        await connector(settings, producer, DyingSink(views, TABLES), group).run()
    assert sum(map(len, (await contents(database)).values())) > 0, "the batch was flushed"
    assert await committed(settings, group) == {}, "and not committed"
    async with running(connector(settings, producer, PostgresSink(views, TABLES), group)):
        await eventually_async(lambda: confirmed(database, group), lambda found: found == 40)
        await eventually_async(lambda: caught_up(settings, group))
    lines = await database.fetchval(
        "SELECT count(*) FROM order_lines WHERE order_id = ANY($1::uuid[])",
        [uid(f"{group}-{index}") for index in range(40)],
    )
    assert lines == 80


async def test_a_server_that_goes_down_is_waited_for_and_nothing_is_lost(
    stack: Stack, settings: Settings, producer: MessageProducer, views: str, group: str
) -> None:
    sink = PostgresSink(views, TABLES)
    connecting = connector(settings, producer, sink, group)
    async with running(connecting):
        await eventually_async(lambda: caught_up(settings, group))
        server = stack.postgres()
        await asyncio.to_thread(server.stop)
        try:
            await publish(producer, story(group))
            await eventually_async(_now(lambda: connecting.attempts), lambda attempts: attempts >= 4)
            assert connecting.attempts < 20, "it waits between attempts"
            assert not connecting.healthy
        finally:
            await asyncio.to_thread(server.start)
        await eventually_async(_now(lambda: connecting.healthy))
        database = await asyncpg.connect(views)
        await eventually_async(lambda: confirmed(database, group), lambda found: found == 40)
        await database.close()


async def test_members_that_come_and_go_while_the_server_is_down_lose_nothing(
    stack: Stack, settings: Settings, producer: MessageProducer, views: str, group: str
) -> None:
    stays, comes, goes = (connector(settings, producer, PostgresSink(views, TABLES), group) for _ in range(3))
    async with running(stays):
        async with running(goes):
            await eventually_async(lambda: caught_up(settings, group))
            server = stack.postgres()
            await asyncio.to_thread(server.stop)
            await publish(producer, story(group))
            await eventually_async(
                _now(lambda: stays.attempts + goes.attempts), lambda attempts: attempts >= 2
            )
        async with running(comes):
            before = stays.attempts
            await eventually_async(_now(lambda: stays.attempts), lambda attempts: attempts > before)
            await asyncio.to_thread(server.start)
            database = await asyncpg.connect(views)
            await eventually_async(lambda: confirmed(database, group), lambda found: found == 40, seconds=60)
            await database.close()
            await eventually_async(lambda: caught_up(settings, group))


async def test_a_bad_record_is_a_dead_letter_alone_and_the_rest_lands(
    settings: Settings, producer: MessageProducer, database: asyncpg.Connection, views: str, group: str
) -> None:
    names = [f"{group}-{index}" for index in range(30)]
    bad = names[17]
    await publish(
        producer,
        [
            (
                t.PRODUCT_CREATED,
                event(t.PRODUCT_CREATED, name, 1, product("nul \x00" if name == bad else "fine")),
            )
            for name in names
        ],
    )
    async with running(connector(settings, producer, PostgresSink(views, TABLES), group)):
        # The sink's own dead letters come back to it as rows.
        letter = await eventually_async(
            lambda: database.fetchrow("SELECT * FROM dead_letters WHERE key = $1", bad)
        )
        found = await eventually_async(
            lambda: database.fetchval("SELECT count(*) FROM products WHERE sku = ANY($1)", names),
            lambda count: count == 29,
        )
    assert found == 29
    assert letter is not None
    assert (letter["domain"], letter["reason"], letter["source_topic"]) == (
        "sink",
        "refused",
        t.PRODUCT_CREATED.name,
    )
    assert "0x00" in letter["error"]
    headers = json.loads(letter["headers"])
    assert (headers["target"], headers["code"]) == ("postgres", "22021"), "the view and its SQLSTATE"
    assert letter["source_offset"] is not None
    assert b"nul" in letter["value"], "the record's own bytes"
    again = await database.fetchval("SELECT count(*) FROM dead_letters WHERE key = $1", bad)
    assert again == 1


async def test_undecodable_and_unprojectable_records_are_dead_letters(
    settings: Settings, producer: MessageProducer, database: asyncpg.Connection, views: str, group: str
) -> None:
    nameless = event(t.ORDER_PLACED, f"{group}-no-uuid", 1, order())
    await publish(producer, [(t.ORDER_PLACED, nameless)])
    for key, value in ((f"{group}-text", b"not avro"), (f"{group}-none", None)):
        await (await producer.send_raw(t.ORDER_PLACED, key.encode(), value, {"traceparent": "00-1"}))
    await publish(producer, story(group))
    async with running(connector(settings, producer, PostgresSink(views, TABLES), group)):
        await eventually_async(lambda: confirmed(database, group), lambda found: found == 40)
        letters = await eventually_async(
            lambda: database.fetch("SELECT * FROM dead_letters WHERE key LIKE $1 ORDER BY key", f"{group}-%"),
            lambda rows: len(rows) == 3,
        )
    assert [(row["key"].removeprefix(group), row["reason"]) for row in letters] == [
        ("-no-uuid", "unprojectable"),
        ("-none", "undecodable"),
        ("-text", "undecodable"),
    ]
    assert letters[0]["error"] == f"aggregate_id: '{group}-no-uuid' is not a UUID"
    assert letters[2]["value"] == b"not avro"
    assert '"traceparent"' in letters[2]["headers"]


async def test_a_dead_letter_that_is_read_twice_is_one_row(
    settings: Settings, producer: MessageProducer, database: asyncpg.Connection, views: str, group: str
) -> None:
    letters = t.DEAD_LETTERS["import"]
    for _ in range(2):
        await (await producer.send_raw(letters, group.encode(), b"row", {"id": group, "reason": "price"}))
    await (await producer.send_raw(letters, group.encode(), b"\x00\xff", {"reason": "a\x00b"}))
    async with running(connector(settings, producer, PostgresSink(views, TABLES), group)):
        rows = await eventually_async(
            lambda: database.fetch("SELECT * FROM dead_letters WHERE key = $1 ORDER BY reason", group),
            lambda found: len(found) == 2,
        )
    assert [row["reason"] for row in rows] == ["a\N{REPLACEMENT CHARACTER}b", "price"]
    assert rows[1]["id"] == group
    assert rows[0]["id"].startswith(f"{letters.name}:0:")


async def test_a_replay_from_the_start_gives_equal_views(
    stack: Stack, settings: Settings, producer: MessageProducer, database: asyncpg.Connection, group: str
) -> None:
    await publish(producer, story(group))
    topics = [each.topic.name for each in PROJECTIONS]
    async with running(connector(settings, producer, PostgresSink(settings.postgres_dsn, TABLES), group)):
        await eventually_async(lambda: caught_up(settings, group))
    ends = await positions.ends(settings, topics)
    await _replay(settings, producer, group, ends)  # over what is there
    once = await contents(database)
    other = settings.model_copy(update={"postgres": stack.fresh_database()})
    await asyncio.to_thread(migrate, other)
    await _replay(other, producer, group, ends)  # into an empty database
    second = await asyncpg.connect(other.postgres_dsn)
    assert await contents(second) == once
    await second.close()


async def test_a_member_that_leaves_hands_its_partitions_over(
    settings: Settings, producer: MessageProducer, database: asyncpg.Connection, views: str, group: str
) -> None:
    def member() -> SinkConnector[Row]:
        return connector(settings, producer, PostgresSink(views, TABLES), group)

    half = len(story(group)) // 2
    async with running(member()):
        async with running(member()):
            await publish(producer, story(group)[:half])
        await publish(producer, story(group)[half:])
        await eventually_async(lambda: confirmed(database, group), lambda found: found == 40)
        await eventually_async(lambda: caught_up(settings, group))


def _now(read: Callable[[], T]) -> Callable[[], Awaitable[T]]:
    async def reading() -> T:
        return read()

    return reading


async def _replay(
    settings: Settings, producer: MessageProducer, group: str, ends: dict[TopicPartition, int]
) -> None:
    # The same consumer refuses the same records: its letters are the ones that are there.
    replaying: SinkConnector[Row] = SinkConnector(
        "postgres",
        PROJECTIONS,
        PostgresSink(settings.postgres_dsn, TABLES),
        DeadLetterTopic(producer, "postgres", group),
        settings,
        positions=dict.fromkeys(ends, 0),
    )
    await replaying.run(until=ends)
