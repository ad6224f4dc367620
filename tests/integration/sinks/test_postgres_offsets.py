"""Offsets beside the rows: what is delivered again is not written again, whoever delivers it.

The table of these tests has no key and no version, so that a record that is written twice is there twice.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import NamedTuple

import asyncpg
import pytest
from confluent_kafka.admin import NewTopic

from connectors.postgres.offsets import Offsets
from connectors.postgres.sink import PostgresSink
from connectors.postgres.table import Row, Table
from connectors.runtime.connector import SinkConnector
from connectors.runtime.record import Record
from connectors.runtime.sink import (
    BatchRefusedError,
    Entry,
    Refusal,
    SinkBehindError,
    SinkUnavailableError,
)
from sinks.postgres import PROJECTIONS, TABLES
from tests.eventually import eventually, eventually_async
from tests.integration.sinks.own_topics import OwnTopics
from tests.integration.sinks.views import caught_up, connector, publish, running
from tests.made_anew import make_anew, swap
from tests.unit.sinks.messages import event, stock
from topics import registry as t
from topics.admin_client import client
from topics.identity import TopicMadeAnewError, topic_ids
from topics.producer import MessageProducer
from topics.settings import Settings


class SeenRow(NamedTuple):
    partition: int
    at: int


SEEN = Table("seen", SeenRow, key=("partition", "at"))
TOPIC = "test.seen"


class Broker:
    """Knows the topic's id, which a test may change, as a broker does that creates the topic again."""

    def __init__(self) -> None:
        self.id = "first"
        self.asked = 0

    async def ids(self, names: Collection[str]) -> Mapping[str, str]:
        self.asked += 1
        return dict.fromkeys(names, self.id)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
async def seen(database: asyncpg.Connection) -> asyncpg.Connection:
    await database.execute("CREATE TABLE seen (partition integer NOT NULL, at bigint NOT NULL)")
    return database


@pytest.fixture
async def sinks(views: str, seen: asyncpg.Connection, broker: Broker) -> AsyncIterator[list[PostgresSink]]:
    """Return three members of one group."""
    assert not seen.is_closed()
    async with AsyncExitStack() as stack:
        members = [PostgresSink(views, [SEEN], offsets=Offsets("test", broker.ids)) for _ in range(3)]
        for member in members:
            stack.push_async_callback(member.close)
        yield members


def delivered(partition: int, offsets: range) -> list[Entry[Row]]:
    return [
        Entry(Record(TOPIC, partition, offset, 0, None, None), (SeenRow(partition, offset),))
        for offset in offsets
    ]


async def offsets_seen(database: asyncpg.Connection, partition: int = 0) -> list[int]:
    rows = await database.fetch("SELECT at FROM seen WHERE partition = $1 ORDER BY at", partition)
    return [row["at"] for row in rows]


async def test_what_is_delivered_again_is_written_once(
    sinks: list[PostgresSink], seen: asyncpg.Connection
) -> None:
    before_the_crash, after_it, _ = sinks
    await before_the_crash.write([*delivered(0, range(10)), *delivered(1, range(3))])
    await before_the_crash.write(delivered(0, range(10)))
    await after_it.write([*delivered(0, range(4, 15)), *delivered(1, range(2))])
    assert await offsets_seen(seen) == list(range(15))
    assert await offsets_seen(seen, 1) == list(range(3))
    stored = await seen.fetch("SELECT partition, next_offset FROM sink_offsets ORDER BY partition")
    assert [tuple(row) for row in stored] == [(0, 15), (1, 3)]


async def test_what_is_not_written_does_not_count_as_written(
    sinks: list[PostgresSink], seen: asyncpg.Connection
) -> None:
    sink = sinks[0]
    await sink.write(delivered(0, range(5)))
    too_big = Entry(delivered(0, range(9, 10))[0].record, (SeenRow(0, 2**63),))
    with pytest.raises(BatchRefusedError):
        await sink.write([*delivered(0, range(5, 9)), too_big])
    assert await seen.fetchval("SELECT next_offset FROM sink_offsets") == 5
    await sink.write(delivered(0, range(5, 9)))
    assert await offsets_seen(seen) == list(range(9))


async def test_a_member_that_lost_its_partition_writes_nothing_that_its_successor_has(
    sinks: list[PostgresSink], seen: asyncpg.Connection, views: str
) -> None:
    zombie, successor, _ = sinks
    await zombie.write(delivered(0, range(5)))
    # A transaction sees the activity as it was when it first looked.
    watching = await asyncpg.connect(views)
    async with seen.transaction():
        await seen.execute("SELECT FROM sink_offsets FOR UPDATE")
        writes = [
            asyncio.create_task(zombie.write(delivered(0, range(5, 12)))),
            asyncio.create_task(successor.write(delivered(0, range(5, 20)))),
        ]
        await eventually_async(
            lambda: watching.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND application_name = 'ecommerce-sink' AND datname = current_database()"
            ),
            lambda waiting: waiting == 2,
        )
    await watching.close()
    await asyncio.gather(*writes)
    assert await offsets_seen(seen) == list(range(20))


@pytest.mark.parametrize("seed", range(3))
async def test_members_that_write_the_same_partitions_at_once_write_each_record_once(
    sinks: list[PostgresSink], seen: asyncpg.Connection, seed: int
) -> None:
    async def deliver(sink: PostgresSink, chance: random.Random) -> None:
        at = [0, 0, 0]
        while min(at) < 60:
            steps = [chance.randint(0, 9) for _ in at]
            batch = [delivered(part, range(at[part], at[part] + step)) for part, step in enumerate(steps)]
            chance.shuffle(batch)
            await sink.write([entry for part in batch for entry in part])
            # Some of it is delivered again.
            at = [max(0, place + step - chance.randint(0, 2)) for place, step in zip(at, steps, strict=True)]

    await asyncio.gather(*(deliver(sink, random.Random(seed * 10 + n)) for n, sink in enumerate(sinks)))
    for partition in range(3):
        offsets = await offsets_seen(seen, partition)
        assert offsets == list(range(len(offsets)))
        assert len(offsets) >= 60


async def test_a_topic_that_was_created_again_is_read_from_its_start(
    sinks: list[PostgresSink], seen: asyncpg.Connection, broker: Broker
) -> None:
    running_on, started_later, _ = sinks
    await running_on.write(delivered(0, range(10)))
    await running_on.write(delivered(0, range(10, 12)))
    assert broker.asked == 1, "the broker is asked once, not with every batch"
    broker.id = "second"
    with pytest.raises(SinkUnavailableError, match="created again"):
        await running_on.write(delivered(0, range(3)))
    await running_on.write(delivered(0, range(3)))
    await started_later.write(delivered(0, range(2, 5)))
    assert await offsets_seen(seen) == sorted([*range(12), *range(5)])


async def test_an_operator_who_drops_the_offsets_has_it_all_written_again(
    sinks: list[PostgresSink], seen: asyncpg.Connection
) -> None:
    sink = sinks[0]
    await sink.write(delivered(0, range(4)))
    await seen.execute("DELETE FROM sink_offsets")
    with pytest.raises(SinkUnavailableError, match="are gone"):
        await sink.write(delivered(0, range(4)))
    await sink.write(delivered(0, range(4)))
    assert await offsets_seen(seen) == [0, 0, 1, 1, 2, 2, 3, 3]


async def test_a_broker_that_does_not_answer_is_waited_for(views: str, seen: asyncpg.Connection) -> None:
    away = Settings(kafka="127.0.0.1:9")
    sink = PostgresSink(views, [SEEN], offsets=Offsets("test", partial(topic_ids, away, timeout_s=1.0)))
    with pytest.raises(SinkUnavailableError, match="Kafka"):
        await sink.write(delivered(0, range(1)))
    await sink.close()
    assert await offsets_seen(seen) == []


@pytest.mark.usefixtures("kafka")
async def test_a_topic_has_another_id_when_it_is_created_again(settings: Settings, group_suffix: str) -> None:
    name = f"test.{group_suffix}"
    admin = client(settings)
    ids = []
    for _ in range(2):
        admin.create_topics([NewTopic(name, 1, 1)])[name].result()
        eventually(lambda: name in admin.list_topics(timeout=10).topics)
        ids.append((await topic_ids(settings, [name]))[name])
        assert (await topic_ids(settings, [name]))[name] == ids[-1]
        admin.delete_topics([name])[name].result()
        eventually(lambda: name not in admin.list_topics(timeout=10).topics)
    assert ids[0] != ids[1]


class DyingSink(PostgresSink):
    """Writes the first batch that has rows, and dies before the runtime can commit."""

    async def write(self, batch: Sequence[Entry[Row]]) -> Sequence[Refusal]:
        await super().write(batch)
        raise RuntimeError("killed between flush and commit")


@pytest.mark.usefixtures("topics_created")
async def test_a_crash_between_flush_and_commit_doubles_nothing_even_without_a_key(
    settings: Settings, views: str, database: asyncpg.Connection, group_suffix: str
) -> None:
    group = f"ecommerce.test.{group_suffix}"
    # Of stock alone: other topics hold other tests' repeated rows, for which the key that is missing here is.
    stocks = [each for each in PROJECTIONS if each.topic is t.INVENTORY_UPDATED]
    # Without their key a repeated movement would be a second row.
    await database.execute("ALTER TABLE stock_movements DROP CONSTRAINT stock_movements_pkey")
    counted = "SELECT count(*), count(DISTINCT version) FROM stock_movements WHERE sku = $1"

    def sink(kind: type[PostgresSink]) -> PostgresSink:
        return kind(views, TABLES, offsets=Offsets(group, partial(topic_ids, settings)))

    async with MessageProducer(settings, "test") as producer:
        movements = [
            (t.INVENTORY_UPDATED, event(t.INVENTORY_UPDATED, group, n + 1, stock(n))) for n in range(90)
        ]
        await publish(producer, movements[:60])
        with pytest.raises(RuntimeError, match="between flush and commit"):
            await connector(settings, producer, sink(DyingSink), group, stocks).run()
        await publish(producer, movements[60:])
        async with running(connector(settings, producer, sink(PostgresSink), group, stocks)):
            await eventually_async(lambda: caught_up(settings, group, stocks))
    assert tuple(await database.fetchrow(counted, group)) == (90, 90)


BACKED_UP = ("stock_levels", "stock_movements", "sink_offsets")


async def dump(database: asyncpg.Connection) -> None:
    for table in BACKED_UP:
        await database.execute(f"CREATE TABLE dumped_{table} AS TABLE {table}")


async def put_back(database: asyncpg.Connection) -> None:
    """Put the tables back to where they were dumped, as a restored dump does."""
    async with database.transaction():
        for table in BACKED_UP:
            await database.execute(f"TRUNCATE {table}")
            await database.execute(f"INSERT INTO {table} SELECT * FROM dumped_{table}")


@pytest.mark.usefixtures("topics_created")
@pytest.mark.parametrize("under", ["a running sink", "a stopped sink"])
async def test_rows_that_were_put_back_to_an_older_state_are_read_for_again(
    settings: Settings, views: str, database: asyncpg.Connection, group_suffix: str, under: str
) -> None:
    group = f"ecommerce.test.{group_suffix}"
    # Each product's number has a record of its own, and some of another topic have no rows at all.
    stocks = [each for each in PROJECTIONS if each.topic is t.INVENTORY_UPDATED]
    counted = "SELECT count(*) FROM stock_movements WHERE sku = $1"

    def feeding(producer: MessageProducer) -> SinkConnector[Row]:
        sink = PostgresSink(views, TABLES, offsets=Offsets(group, partial(topic_ids, settings)))
        return connector(settings, producer, sink, group, stocks)

    async with MessageProducer(settings, "test") as producer:

        async def move(first: int, count: int) -> None:
            said = [event(t.INVENTORY_UPDATED, group, n + 1, stock(n)) for n in range(first, first + count)]
            await publish(producer, [(t.INVENTORY_UPDATED, each) for each in said])

        async def written(count: int) -> None:
            await eventually_async(lambda: database.fetchval(counted, group), lambda have: have == count)
            await eventually_async(lambda: caught_up(settings, group, stocks))

        first = feeding(producer)
        reading = asyncio.create_task(first.run())
        await move(0, 30)
        await written(30)
        await dump(database)
        await move(30, 30)
        await written(60)
        if under == "a running sink":
            await put_back(database)
            await move(60, 5)
            with pytest.raises(SinkBehindError, match="put back to an older state"):
                await asyncio.wait_for(reading, 60)
        else:
            await move(60, 5)
            await written(65)
            first.stop()
            await reading
            await put_back(database)
        async with running(feeding(producer)):
            await written(65)
    numbers = await database.fetch("SELECT version FROM stock_movements WHERE sku = $1 ORDER BY 1", group)
    assert [row["version"] for row in numbers] == list(range(1, 66))


async def test_offsets_move_on_behind_records_without_rows(
    sinks: list[PostgresSink], seen: asyncpg.Connection
) -> None:
    sink, successor, _ = sinks
    place = (TOPIC, 0)
    assert await sink.starts([place]) == {place: 0}
    await sink.write(delivered(0, range(5)))
    await sink.passed({place: 9})
    assert await seen.fetchval("SELECT next_offset FROM sink_offsets") == 9
    await sink.write(delivered(0, range(9, 12)))
    assert await successor.starts([place]) == {place: 12}


async def test_what_the_topic_itself_lacks_is_not_missed(
    sinks: list[PostgresSink], seen: asyncpg.Connection
) -> None:
    sink, stranger, _ = sinks
    assert await sink.starts([(TOPIC, 0)]) == {(TOPIC, 0): 0}
    await sink.write(delivered(0, range(7, 9)))
    assert await offsets_seen(seen) == [7, 8]
    # Who does not know where it was begun to read for asks, by beginning again.
    with pytest.raises(SinkBehindError):
        await stranger.write(delivered(0, range(11, 12)))
    assert await offsets_seen(seen) == [7, 8]


@pytest.mark.parametrize("anew", [make_anew, swap])
async def test_what_comes_in_a_topic_that_is_made_anew_under_a_sink_is_written_once(
    settings: Settings,
    views: str,
    database: asyncpg.Connection,
    own: OwnTopics,
    anew: Callable[[Settings, str, int], None],
) -> None:
    chosen = own.choice("postgres")
    # Rows have a key: what lay beyond the old position is written twice, and there once.
    counted = "SELECT count(*) FROM stock_movements WHERE sku = $1"

    def feeding() -> SinkConnector[Row]:
        sink = PostgresSink(views, TABLES, offsets=Offsets(chosen.group, partial(topic_ids, settings)))
        return own.connector(chosen, sink)

    async def move(sku: str, count: int) -> None:
        said = [event(t.INVENTORY_UPDATED, sku, n + 1, stock(n)) for n in range(count)]
        await own.publish([(t.INVENTORY_UPDATED, each) for each in said])

    async def written(sku: str, count: int) -> None:
        await eventually_async(lambda: database.fetchval(counted, sku), lambda have: have >= count)
        await eventually_async(lambda: caught_up(settings, chosen.group, chosen.projections))
        assert await database.fetchval(counted, sku) == count

    reading = asyncio.create_task(feeding().run())
    await move("before", 20)
    await written("before", 20)
    await asyncio.to_thread(anew, settings, own.of(t.INVENTORY_UPDATED).name, 2)
    # More than the old topic had: what lies before the old position is not to be passed over.
    await move("since", 40)
    with pytest.raises((TopicMadeAnewError, SinkBehindError), match=r"created again|older state"):
        await asyncio.wait_for(reading, 30)
    async with running(feeding()):
        await written("since", 40)
        await written("before", 20)
