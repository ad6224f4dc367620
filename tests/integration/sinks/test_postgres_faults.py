"""What can befall PostgreSQL: nothing is lost or doubled, the sink says why it waits, and goes on by itself.

The table of movements has no key here, so that a movement that is written twice is there twice.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

import asyncpg
import psutil
import pytest
from prometheus_client import REGISTRY

from connectors.postgres.offsets import Offsets
from connectors.postgres.settings import PostgresSinkSettings
from connectors.postgres.sink import PostgresSink
from connectors.postgres.table import Row
from connectors.runtime.connector import SinkConnector
from connectors.runtime.dead_letters import DeadLetterTopic
from connectors.runtime.sizing import Limits
from schemas.order import OrderStatus
from sinks.migrate import migrate
from sinks.postgres import PROJECTIONS, TABLES
from sinks.verify.spans import spans
from tests.eventually import eventually_async, eventually_seen
from tests.integration.sinks.slow_proxy import slow_proxy
from tests.integration.sinks.tiny_disk import tiny_disk
from tests.integration.sinks.views import Event, publish, running
from tests.stack import Child, Stack
from tests.unit.sinks.messages import event, order, stock, uid
from topics import registry as t
from topics.identity import topic_ids
from topics.producer import MessageProducer
from topics.settings import Settings

pytestmark = pytest.mark.usefixtures("topics_created")

ORDERS_MADE = 40
SOON = PostgresSinkSettings(connect_seconds=1, statement_seconds=2)

Connector: TypeAlias = SinkConnector[Row]
T = TypeVar("T")


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[MessageProducer]:
    async with MessageProducer(settings, "test") as started:
        yield started


def story(name: str) -> list[Event]:
    events: list[Event] = []
    for number in range(ORDERS_MADE):
        key = uid(f"{name}-{number}")
        events += [
            (t.ORDER_PLACED, event(t.ORDER_PLACED, key, 1, order())),
            (t.INVENTORY_UPDATED, event(t.INVENTORY_UPDATED, name, number + 1, stock(100 - number))),
            (t.ORDER_CONFIRMED, event(t.ORDER_CONFIRMED, key, 2, order(OrderStatus.CONFIRMED))),
        ]
    return events


async def found(dsn: str, name: str) -> tuple[int, ...]:
    async with connected(dsn) as database:
        return await counted(database, name)


async def counted(database: asyncpg.Connection, name: str) -> tuple[int, ...]:
    """Return how many confirmed orders, lines, order events and movements there are of the story."""
    keys = [uid(f"{name}-{number}") for number in range(ORDERS_MADE)]
    return tuple(
        await database.fetchrow(
            "SELECT (SELECT count(*) FROM orders WHERE order_id = ANY($1::uuid[]) AND status = 'confirmed'),"
            " (SELECT count(*) FROM order_lines WHERE order_id = ANY($1::uuid[])),"
            " (SELECT count(*) FROM order_events WHERE order_id = ANY($1::uuid[])),"
            " (SELECT count(*) FROM stock_movements WHERE sku = $2)",
            keys,
            name,
        )
    )


WHOLE = (ORDERS_MADE, 2 * ORDERS_MADE, 2 * ORDERS_MADE, ORDERS_MADE)
NOTHING = (0, 0, 0, 0)


async def whole(dsn: str, name: str) -> None:
    """Wait until the whole story is there, each row once, and none of it a dead letter."""
    assert await eventually_async(lambda: found(dsn, name), lambda counts: counts >= WHOLE) == WHOLE
    for reason in ("refused", "unprojectable", "undecodable"):
        assert _metric("dead_letters_total", sink=name, reason=reason) is None


@asynccontextmanager
async def feeding(
    settings: Settings,
    producer: MessageProducer,
    dsn: str,
    name: str,
    *,
    through: str | None = None,
    limits: Limits | None = None,
) -> AsyncIterator[Connector]:
    """Feed the views at `dsn` from the topics' present ends on, by the address `through` if given."""
    await execute(dsn, "ALTER TABLE stock_movements DROP CONSTRAINT stock_movements_pkey")
    offsets = Offsets(name, partial(topic_ids, settings))
    ends = (await spans(settings, [each.topic.name for each in PROJECTIONS])).ends
    # The database has what came before: one that lacks it is refused.
    async with connected(dsn) as database:
        await offsets.passed(database, ends)
    feeds: Connector = SinkConnector(
        name,
        PROJECTIONS,
        PostgresSink(through or dsn, TABLES, offsets=offsets, patience=SOON),
        DeadLetterTopic(producer, name, name),
        settings,
        positions=ends,
        limits=limits,
    )
    async with running(feeds):
        yield feeds


async def execute(dsn: str, *statements: str) -> None:
    async with connected(dsn) as database:
        for statement in statements:
            await database.execute(statement)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    database = await asyncpg.connect(dsn)
    try:
        yield database
    finally:
        await database.close()


async def says(feeds: Connector, *words: str) -> None:
    """Wait until the sink has tried more than once, and assert that it says why it waits."""
    await eventually_seen(lambda: feeds.attempts, lambda attempts: attempts >= 2)
    assert all(word in feeds.last_error for word in words), feeds.last_error
    assert not feeds.healthy
    assert _metric("up", sink=feeds.name) == 0
    told = [
        sample.labels["error"]
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "ecommerce_sink_last_error_info" and sample.labels["sink"] == feeds.name
    ]
    assert len(told) == 1
    assert words[0] in told[0]


async def well_again(feeds: Connector) -> None:
    await eventually_seen(lambda: feeds.healthy)
    assert feeds.last_error == ""
    assert _metric("up", sink=feeds.name) == 1


async def test_slow(settings: Settings, producer: MessageProducer, views: str, group_suffix: str) -> None:
    def paused() -> float | None:
        return _metric("paused", sink=group_suffix)

    async with (
        slow_proxy(views) as (proxy, through),
        feeding(settings, producer, views, group_suffix, through=through, limits=Limits(records=20)) as feeds,
    ):
        proxy.bytes_per_second = 8_000
        await publish(producer, story(group_suffix))
        await eventually_seen(paused, lambda value: value == 1)
        assert await found(views, group_suffix) != WHOLE
        proxy.bytes_per_second = None
        await whole(views, group_suffix)
        await well_again(feeds)
        await eventually_seen(paused, lambda value: value == 0)


async def test_read_only(
    settings: Settings, producer: MessageProducer, views: str, group_suffix: str
) -> None:
    database = views.rsplit("/", 1)[1]
    others = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with feeding(settings, producer, views, group_suffix) as feeds:
        await execute(views, f"ALTER DATABASE {database} SET default_transaction_read_only = on", others)
        await publish(producer, story(group_suffix))
        await says(feeds, "ReadOnly", "read-only transaction")
        assert await found(views, group_suffix) == NOTHING
        await execute(
            views,
            "SET default_transaction_read_only = off",
            f"ALTER DATABASE {database} RESET default_transaction_read_only",
        )
        await whole(views, group_suffix)
        await well_again(feeds)


async def fill_up(dsn: str) -> None:
    """Fill the disk to its last page."""
    await execute(dsn, "CREATE TABLE filling (text text STORAGE PLAIN)")
    for rows in (1000, 100, 10, 1):
        with suppress(asyncpg.DiskFullError):
            while True:
                await execute(
                    dsn, f"INSERT INTO filling SELECT repeat('x', 7000) FROM generate_series(1, {rows})"
                )


async def emptied(database: asyncpg.Connection) -> bool:
    """Make room again; the server itself may lack the page that it takes to say so."""
    try:
        await database.execute("DROP TABLE IF EXISTS filling")
    except asyncpg.DiskFullError:
        return False
    return True


async def test_out_of_disk(
    stack: Stack, settings: Settings, producer: MessageProducer, tmp_path: Path, group_suffix: str
) -> None:
    with tiny_disk(stack, tmp_path / "tiny", megabytes=48) as dsn:
        await asyncio.to_thread(migrate, settings.model_copy(update={"postgres": dsn}))
        async with feeding(settings, producer, dsn, group_suffix) as feeds, connected(dsn) as database:
            # One that is known to the server already: a full disk admits no new one.
            assert await counted(database, group_suffix) == NOTHING
            await fill_up(dsn)
            await publish(producer, story(group_suffix))
            await says(feeds, "DiskFull", "No space left on device")
            assert await counted(database, group_suffix) == NOTHING
            await eventually_async(lambda: emptied(database))
            await whole(dsn, group_suffix)
            await well_again(feeds)


class ByHand(NamedTuple):
    """What somebody does to the orders' table, what the sink then says, and what mends it."""

    change: str
    error: str
    column: str
    mend: str


@pytest.mark.parametrize(
    "by_hand",
    [
        ByHand("DROP COLUMN tracking", "UndefinedColumn", "tracking", "ADD COLUMN tracking text"),
        ByHand(
            "ADD COLUMN packed_by text NOT NULL",
            "NotNullViolation",
            "packed_by",
            "ALTER COLUMN packed_by DROP NOT NULL",
        ),
    ],
    ids=["a column dropped", "a column that wants what the sink has not"],
)
async def test_a_table_changed(
    settings: Settings, producer: MessageProducer, views: str, group_suffix: str, by_hand: ByHand
) -> None:
    async with feeding(settings, producer, views, group_suffix) as feeds:
        await execute(views, f"ALTER TABLE orders {by_hand.change}")
        await publish(producer, story(group_suffix))
        await says(feeds, by_hand.error, by_hand.column)
        await execute(views, f"ALTER TABLE orders {by_hand.mend}")
        await whole(views, group_suffix)
        await well_again(feeds)


async def test_a_new_column_that_may_be_empty(
    settings: Settings, producer: MessageProducer, views: str, group_suffix: str
) -> None:
    async with feeding(settings, producer, views, group_suffix) as feeds:
        half = len(story(group_suffix)) // 2
        await publish(producer, story(group_suffix)[:half])
        await eventually_async(lambda: found(views, group_suffix), lambda counts: counts > NOTHING)
        await execute(views, "ALTER TABLE orders ADD COLUMN gift_note text")
        await publish(producer, story(group_suffix)[half:])
        await whole(views, group_suffix)
        assert feeds.attempts == 0


@contextmanager
def stopped(server: Child) -> Iterator[None]:
    """Stop the server's processes where they stand, as a machine does that hangs."""
    main = psutil.Process(server.process.pid)
    # The main process first, or it would start others meanwhile.
    main.send_signal(signal.SIGSTOP)
    rest = main.children(recursive=True)
    try:
        for each in rest:
            each.send_signal(signal.SIGSTOP)
        yield
    finally:
        for each in (*rest, main):
            each.send_signal(signal.SIGCONT)


async def test_stopped_and_continued(
    stack: Stack, settings: Settings, producer: MessageProducer, views: str, group_suffix: str
) -> None:
    async with feeding(settings, producer, views, group_suffix) as feeds:
        half = len(story(group_suffix)) // 2
        await publish(producer, story(group_suffix)[:half])
        await eventually_async(lambda: found(views, group_suffix), lambda counts: counts > NOTHING)
        with stopped(stack.postgres()):
            await publish(producer, story(group_suffix)[half:])
            await says(feeds, "TimeoutError")
        await whole(views, group_suffix)
        await well_again(feeds)


async def test_killed_and_started_again(
    stack: Stack, settings: Settings, producer: MessageProducer, views: str, group_suffix: str
) -> None:
    server = stack.postgres()
    async with feeding(settings, producer, views, group_suffix, limits=Limits(records=10)) as feeds:
        publishing = asyncio.create_task(publish(producer, story(group_suffix)))
        await eventually_async(lambda: found(views, group_suffix), lambda counts: counts > NOTHING)
        await asyncio.to_thread(server.kill)
        try:
            await publishing
            await says(feeds, "Connect")
        finally:
            await asyncio.to_thread(server.start)
        await whole(views, group_suffix)
        await well_again(feeds)


def _metric(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"ecommerce_sink_{name}", labels)
