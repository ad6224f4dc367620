"""Rebuilding views while they are read and written."""

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg
import msgspec
import pytest
from elasticsearch import AsyncElasticsearch
from redis.asyncio import Redis

from connectors.archive.sink import ArchiveSink
from connectors.elasticsearch.index import Document
from connectors.elasticsearch.sink import ElasticsearchSink
from connectors.postgres.sink import PostgresSink
from connectors.postgres.table import Row
from connectors.runtime.projection import RawProjection
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry, Refusal, SinkUnavailableError
from schemas.order import OrderStatus
from sinks.postgres import TABLES
from sinks.rebuild import BusyError, OldKeptError, Rebuild, Rebuilt, drop_old, rebuild
from sinks.rebuild.alone import alone
from sinks.rebuild.elasticsearch import ElasticsearchBeside
from sinks.verify.findings import Findings
from sinks.verify.letters import Passed
from sinks.verify.reading import Reading
from sinks.verify.sides import Unreadable
from sinks.verify.spans import behind, committed, spans
from sinks.verify.verify import Verification
from sinks.views import Choice, choose
from tests.eventually import eventually_async
from tests.integration.sinks.mortal import indexed
from tests.integration.sinks.own_topics import OwnTopics
from tests.integration.sinks.views import Event, running
from tests.unit.sinks.messages import cart, event, order, product, uid
from tests.unit.sinks.records import record
from topics import registry as t
from topics.producer import MessageProducer
from topics.settings import Settings

ORDERS_MADE = 60


def orders(name: str, numbers: range) -> Iterator[Event]:
    for number in numbers:
        key = uid(f"{name}-{number}")
        yield t.ORDER_PLACED, event(t.ORDER_PLACED, key, 1, order())
        yield t.ORDER_CONFIRMED, event(t.ORDER_CONFIRMED, key, 2, order(OrderStatus.CONFIRMED))


def always(_: Findings) -> bool:
    return True


def if_equal(findings: Findings) -> bool:
    return findings.equal and not findings.removed


@asynccontextmanager
async def read_all_the_time(count: Callable[[], Awaitable[int]]) -> AsyncIterator[list[int]]:
    """Read a view until the end; a read that fails comes out here."""
    counts: list[int] = []
    done = asyncio.Event()

    async def read() -> None:
        while not done.is_set():
            counts.append(await count())
            await asyncio.sleep(0)

    task = asyncio.create_task(read())
    try:
        yield counts
    finally:
        done.set()
        await task


async def test_the_views_are_right_again_while_they_are_read_and_written(
    settings: Settings, own: OwnTopics, views: str, database: asyncpg.Connection, group_suffix: str
) -> None:
    chosen = own.choice("postgres")
    sku = f"{group_suffix}-sku"
    keys = [uid(f"{group_suffix}-{number}") for number in range(ORDERS_MADE)]
    half = ORDERS_MADE // 2

    async def right() -> bool:
        found = await database.fetchval(
            "SELECT count(*) FROM orders o JOIN order_lines USING (order_id)"
            " WHERE o.status = 'confirmed' AND order_id = ANY($1::uuid[])",
            keys,
        )
        return bool(found == 2 * ORDERS_MADE)

    await own.publish([(t.PRODUCT_CREATED, event(t.PRODUCT_CREATED, sku, 1, product()))])
    await own.publish(orders(group_suffix, range(half)))
    async with running(own.connector(chosen, PostgresSink(views, TABLES))):
        await eventually_async(
            lambda: database.fetchval("SELECT count(*) FROM orders WHERE order_id = ANY($1::uuid[])", keys),
            lambda found: found == half,
        )
        await database.execute(
            "INSERT INTO identity.users VALUES ($1, 'a@example.org', 'hash')", uuid.uuid4()
        )
        await database.execute("UPDATE products SET price = 1, version = 999 WHERE sku = $1", sku)
        await database.execute("DELETE FROM order_lines WHERE order_id = $1::uuid", keys[0])
        typed = uuid.uuid4()
        await database.execute("INSERT INTO payments SELECT $1, 'x', 1, 'x', 'x', 1, 'x', 1, now()", typed)
        async with (
            asyncpg.create_pool(views, min_size=1, max_size=1) as reader,
            read_all_the_time(lambda: reader.fetchval("SELECT count(*) FROM products")) as counts,
        ):
            rebuilding = asyncio.create_task(rebuild(settings, chosen, always))
            await own.publish(orders(group_suffix, range(half, ORDERS_MADE)))
            done = await rebuilding
        assert done.records >= ORDERS_MADE
        assert {(each.view, each.key, each.kind) for each in done.findings.differences} == {
            ("products", sku, "different"),
            ("order_lines", keys[0], "missing"),
            ("payments", str(typed), "extra"),
        }
        assert min(counts) > 0, "no reader saw an empty view"
        await eventually_async(right)
        await own.publish([(t.PRODUCT_UPDATED, event(t.PRODUCT_UPDATED, sku, 2, product(price=300)))])
        await eventually_async(
            lambda: database.fetchval("SELECT price FROM products WHERE sku = $1", sku),
            lambda price: price == 300,
        )
    assert await database.fetchval("SELECT count(*) FROM payments WHERE status = 'x'") == 0
    assert await database.fetchval("SELECT count(*) FROM identity.users") == 1
    assert (await Verification(settings, chosen).run()).equal

    assert "payments" in done.old
    assert await database.fetchval("SELECT count(*) FROM retired.payments WHERE status = 'x'") == 1
    with pytest.raises(OldKeptError, match="payments"):
        await rebuild(settings, chosen, always)
    assert await drop_old(settings, chosen) == done.old
    schemas = await database.fetch("SELECT nspname FROM pg_namespace WHERE nspname IN ('rebuild', 'retired')")
    assert schemas == []


async def test_what_differs_is_not_swapped_in_unless_it_is_wanted(
    settings: Settings, own: OwnTopics, views: str, database: asyncpg.Connection, group_suffix: str
) -> None:
    chosen = own.choice("payments")
    assert views == settings.postgres_dsn
    await database.execute(
        "INSERT INTO payments SELECT $1, 'x', 1, 'x', 'x', 1, 'x', 1, now()", uid(group_suffix)
    )
    done = await rebuild(settings, chosen, if_equal)
    assert not done.swapped
    assert [(each.view, each.kind) for each in done.findings.differences] == [("payments", "extra")]
    assert await database.fetchval("SELECT count(*) FROM payments") == 1, "the live one stays"
    schemas = await database.fetch("SELECT nspname FROM pg_namespace WHERE nspname IN ('rebuild', 'retired')")
    assert schemas == []


async def test_one_view_is_rebuilt_and_the_others_stay(
    settings: Settings, own: OwnTopics, views: str, database: asyncpg.Connection, group_suffix: str
) -> None:
    assert views == settings.postgres_dsn
    await own.publish(orders(group_suffix, range(3)))
    await database.execute("INSERT INTO stock_levels VALUES ('typed by hand', 1, 0, 1, 1, 0, 1, 1, now())")
    done = await rebuild(settings, own.choice("orders"), always)
    assert done.old == ["order_charges", "order_lines", "orders"]
    assert await database.fetchval("SELECT count(*) FROM order_lines") == 6
    assert await database.fetchval("SELECT count(*) FROM order_events") == 0
    assert await database.fetchval("SELECT count(*) FROM stock_levels") == 1


async def test_two_rebuilds_do_not_meet(settings: Settings, own: OwnTopics, views: str) -> None:
    async with alone(views):
        with pytest.raises(BusyError):
            await rebuild(settings, own.choice("payments"), always)
    assert (await rebuild(settings, own.choice("payments"), always)).swapped


async def test_a_rebuild_that_was_interrupted_is_begun_again(
    settings: Settings, own: OwnTopics, views: str, database: asyncpg.Connection, group_suffix: str
) -> None:
    await own.publish(orders(group_suffix, range(1)))
    await database.execute("CREATE SCHEMA rebuild CREATE TABLE products (sku text)")
    await rebuild(settings, own.choice("postgres"), always)
    key = uid(f"{group_suffix}-0")
    assert await database.fetchval("SELECT status FROM orders WHERE order_id = $1::uuid", key) == "confirmed"
    assert views == settings.postgres_dsn


async def test_a_view_that_was_dropped_is_there_again(
    settings: Settings, own: OwnTopics, views: str, database: asyncpg.Connection, group_suffix: str
) -> None:
    assert views == settings.postgres_dsn
    await own.publish(orders(group_suffix, range(2)))
    await database.execute("DROP TABLE orders")
    await rebuild(settings, own.choice("orders"), always)
    assert await database.fetchval("SELECT count(*) FROM orders") == 2


async def test_what_retention_has_removed_comes_from_the_archive(
    settings: Settings, own: OwnTopics, database: asyncpg.Connection, group_suffix: str, tmp_path: Path
) -> None:
    chosen = own.choice("orders")
    await own.publish(orders(group_suffix, range(10)))
    await keep(settings, own, chosen, str(tmp_path))
    await own.remove_beginnings([t.ORDER_PLACED, t.ORDER_CONFIRMED])
    await own.publish(orders(f"{group_suffix}-later", range(3)))
    without = await rebuild(settings, chosen, if_equal)
    assert without.findings.removed, "it is told that something is missing"
    assert not without.swapped
    done = await rebuild(settings, chosen, if_equal, archive=str(tmp_path))
    assert (done.swapped, done.findings.removed, done.findings.differences) == (True, (), ())
    assert await database.fetchval("SELECT count(*) FROM orders WHERE status = 'confirmed'") == 13


async def keep(settings: Settings, own: OwnTopics, chosen: Choice, place: str) -> None:
    """Let the archive have all that the topics hold."""

    def kept(each: Record) -> tuple[Record]:
        return (each,)

    archived = dataclasses.replace(
        chosen,
        projections=[
            RawProjection(own.of(topic), kept, ("x",)) for topic in (t.ORDER_PLACED, t.ORDER_CONFIRMED)
        ],
        group=f"{chosen.group}.archive",
    )

    async def lag() -> int:
        return behind(await spans(settings, archived.topics), await committed(settings, archived.group))

    async with running(own.connector(archived, ArchiveSink(place))):
        await eventually_async(lag, lambda records: records == 0)


async def test_an_index_is_rebuilt_behind_its_alias(
    settings: Settings, own: OwnTopics, producer: MessageProducer, elasticsearch: str, group_suffix: str
) -> None:
    chosen, index = indexed(own, f"test-{uuid.uuid4().hex}")
    key = uid(f"{group_suffix}-0")
    stray = record(t.ORDER_PLACED, event(t.ORDER_PLACED, key, 1, order()))
    live = ElasticsearchSink(elasticsearch, [index])
    try:
        assert await live.write([Entry(stray, (Document(index.alias, "stray", 1, {}),))]) == ()
        await own.publish(orders(group_suffix, range(5)))
        beside = ElasticsearchBeside(elasticsearch, [index], chosen.guards)
        async with AsyncElasticsearch(elasticsearch) as reader:
            await reader.indices.refresh(index=index.alias)
            await reader.indices.create(index=f"{index.alias}-1")
            async with read_all_the_time(partial(found, reader, index.alias)) as counts:
                done = await Rebuild(settings, chosen, producer, place=beside).run(always)
        assert min(counts) > 0, "no reader saw an empty view"
        assert done.records >= 10
        assert [(each.key, each.kind) for each in done.findings.differences] == [("stray", "extra")]
        assert done.old == [index.first]
        assert await live.write([Entry(stray, (Document(index.alias, "late", 1, {}),))]) == ()
    finally:
        await live.close()
    async with AsyncElasticsearch(elasticsearch) as client:
        (name,) = await client.indices.get_alias(name=index.alias)
        assert name != index.first
        assert not await client.indices.exists(index=f"{index.alias}-1"), "an interrupted rebuild left it"
        assert (await client.get(index=index.alias, id=key))["_source"]["status"] == "confirmed"
        assert await client.exists(index=index.alias, id="late")
        assert not await client.exists(index=index.alias, id="stray")
        assert await client.exists(index=f"{index.alias}-old", id="stray")
        assert await drop_old_of(beside) == [index.first]
        assert not await client.indices.exists(index=index.first)
        await client.indices.delete(index=name)


async def found(client: AsyncElasticsearch, alias: str) -> int:
    return int((await client.count(index=alias))["count"])


async def drop_old_of(beside: ElasticsearchBeside) -> list[str]:
    kept = await beside.old()
    await beside.drop_old()
    assert await beside.old() == []
    return kept


async def test_carts_that_redis_lost_are_there_again(
    settings: Settings, own: OwnTopics, redis_url: str, group_suffix: str
) -> None:
    key = uid(f"{group_suffix}-cart")
    await own.publish((t.CART_UPDATED, event(t.CART_UPDATED, key, version, cart("a"))) for version in (1, 2))
    done: Rebuilt = await rebuild(settings, own.choice("redis"), always)
    assert (done.records, done.findings.differences) == (2, ())
    async with Redis.from_url(redis_url) as redis:
        assert msgspec.json.decode(await redis.get(f"cart:{key}") or "null")["version"] == 2


async def test_without_elasticsearch_there_is_nothing_to_rebuild(settings: Settings) -> None:
    with pytest.raises(Unreadable, match="ECOMMERCE_ELASTICSEARCH"):
        await rebuild(settings.model_copy(update={"elasticsearch": None}), choose("elasticsearch"), always)


class Away(PostgresSink):
    """A sink whose server takes nothing."""

    async def write(self, batch: Sequence[Entry[Row]]) -> Sequence[Refusal]:
        raise SinkUnavailableError(f"{len(batch)} records are too many today")


async def test_a_server_that_takes_nothing_ends_the_wait_with_what_it_said(
    settings: Settings, own: OwnTopics, views: str, group_suffix: str
) -> None:
    chosen = own.choice("orders")
    await own.publish(orders(group_suffix, range(1)))
    there = await spans(settings, chosen.topics)
    reading = Reading(
        "rebuild", settings, chosen, make=lambda: Away(views, TABLES), letters=Passed(), patience_s=0.5
    )
    with pytest.raises(Unreadable, match="records are too many today"):
        await reading.topics(there.starts, there.ends)
