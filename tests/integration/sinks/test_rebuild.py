"""Rebuilding a view while it is read and written."""

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import msgspec
import pytest
from elasticsearch import AsyncElasticsearch
from redis.asyncio import Redis

from connectors.elasticsearch.index import Document, Write
from connectors.elasticsearch.sink import ElasticsearchSink
from connectors.postgres.sink import PostgresSink
from connectors.runtime.projection import Projection
from connectors.runtime.sink import Entry
from schemas.envelope import Message
from schemas.order import OrderSnapshot, OrderStatus
from sinks.indices import ORDERS
from sinks.projectors.document import order_document
from sinks.rebuild import ElasticsearchBeside, Rebuild, rebuild, rebuild_elasticsearch, rebuild_postgres
from sinks.rows import TABLES
from tests.eventually import eventually_async
from tests.integration.sinks.views import Event, connector, publish, running
from tests.unit.sinks.messages import cart, event, order, product, uid
from tests.unit.sinks.records import record
from topics import registry as t
from topics.producer import MessageProducer
from topics.settings import Settings

pytestmark = pytest.mark.usefixtures("topics_created")

ORDERS_MADE = 60


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[MessageProducer]:
    async with MessageProducer(settings, "test") as started:
        yield started


def orders(name: str, numbers: range) -> Iterator[Event]:
    for number in numbers:
        key = uid(f"{name}-{number}")
        yield t.ORDER_PLACED, event(t.ORDER_PLACED, key, 1, order())
        yield t.ORDER_CONFIRMED, event(t.ORDER_CONFIRMED, key, 2, order(OrderStatus.CONFIRMED))


@asynccontextmanager
async def read_all_the_time(dsn: str) -> AsyncIterator[list[int]]:
    """Read a view over one connection until the end; a read that fails comes out here."""
    counts: list[int] = []
    done = asyncio.Event()

    async def read() -> None:
        connection = await asyncpg.connect(dsn)
        while not done.is_set():
            counts.append(await connection.fetchval("SELECT count(*) FROM products"))
            await asyncio.sleep(0)
        await connection.close()

    task = asyncio.create_task(read())
    try:
        yield counts
    finally:
        done.set()
        await task


async def test_the_views_are_right_again_while_they_are_read_and_written(
    settings: Settings, producer: MessageProducer, views: str, database: asyncpg.Connection, group_suffix: str
) -> None:
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

    await publish(producer, [(t.PRODUCT_CREATED, event(t.PRODUCT_CREATED, sku, 1, product()))])
    await publish(producer, orders(group_suffix, range(half)))
    live = connector(settings, producer, PostgresSink(views, TABLES), f"ecommerce.test.{group_suffix}")
    async with running(live):
        await eventually_async(
            lambda: database.fetchval("SELECT count(*) FROM orders WHERE order_id = ANY($1::uuid[])", keys),
            lambda found: found == half,
        )
        await database.execute("INSERT INTO users VALUES ($1, 'a@example.org', 'hash')", uuid.uuid4())
        await database.execute("UPDATE products SET price = 1, version = 999 WHERE sku = $1", sku)
        await database.execute("DELETE FROM order_lines WHERE order_id = $1::uuid", keys[0])
        await database.execute(
            "INSERT INTO payments SELECT $1, 'x', 1, 'x', 'x', 1, 'x', 1, now()", uuid.uuid4()
        )
        async with read_all_the_time(views) as counts:
            rebuilding = asyncio.create_task(rebuild_postgres(settings))
            await publish(producer, orders(group_suffix, range(half, ORDERS_MADE)))
            assert await rebuilding >= ORDERS_MADE
        assert min(counts) > 0, "no reader saw an empty view"
        await eventually_async(right)
        await publish(producer, [(t.PRODUCT_UPDATED, event(t.PRODUCT_UPDATED, sku, 2, product(price=300)))])
        await eventually_async(
            lambda: database.fetchval("SELECT price FROM products WHERE sku = $1", sku),
            lambda price: price == 300,
        )
    assert await database.fetchval("SELECT count(*) FROM payments WHERE status = 'x'") == 0
    assert await database.fetchval("SELECT count(*) FROM users") == 1
    schemas = await database.fetch("SELECT nspname FROM pg_namespace WHERE nspname IN ('rebuild', 'retired')")
    assert schemas == []


async def test_a_rebuild_that_was_interrupted_is_begun_again(
    settings: Settings, producer: MessageProducer, views: str, database: asyncpg.Connection, group_suffix: str
) -> None:
    await publish(producer, orders(group_suffix, range(1)))
    await database.execute("CREATE SCHEMA rebuild CREATE TABLE products (sku text)")
    await rebuild_postgres(settings)
    key = uid(f"{group_suffix}-0")
    assert await database.fetchval("SELECT status FROM orders WHERE order_id = $1::uuid", key) == "confirmed"
    assert views == settings.postgres_dsn


async def test_an_index_is_rebuilt_behind_its_alias(
    settings: Settings, producer: MessageProducer, elasticsearch: str, group_suffix: str
) -> None:
    index = dataclasses.replace(ORDERS, alias=f"test-{uuid.uuid4().hex}")

    def projected(message: Message[OrderSnapshot]) -> tuple[Write]:
        return (order_document(message)[0]._replace(alias=index.alias),)

    projections = [
        Projection(topic, projected, (index.alias,)) for topic in (t.ORDER_PLACED, t.ORDER_CONFIRMED)
    ]
    key = uid(f"{group_suffix}-0")
    stray = record(t.ORDER_PLACED, event(t.ORDER_PLACED, key, 1, order()))
    live = ElasticsearchSink(elasticsearch, [index])
    assert await live.write([Entry(stray, (Document(index.alias, "stray", 1, {}),))]) == ()
    await publish(producer, orders(group_suffix, range(5)))
    beside = ElasticsearchBeside(elasticsearch, [index])
    assert await Rebuild(settings, projections, beside, producer, "ecommerce.test").run() >= 10
    assert await live.write([Entry(stray, (Document(index.alias, "late", 1, {}),))]) == ()
    await live.close()
    async with AsyncElasticsearch(elasticsearch) as client:
        (name,) = await client.indices.get_alias(name=index.alias)
        assert name != index.first
        assert (await client.get(index=index.alias, id=key))["_source"]["status"] == "confirmed"
        assert await client.exists(index=index.alias, id="late")
        assert not await client.exists(index=index.alias, id="stray")
        await client.indices.delete(index=name)


async def test_carts_that_redis_lost_are_there_again(
    settings: Settings, producer: MessageProducer, redis_url: str, group_suffix: str
) -> None:
    key = uid(f"{group_suffix}-cart")
    await publish(
        producer, [(t.CART_UPDATED, event(t.CART_UPDATED, key, version, cart("a"))) for version in (1, 2)]
    )
    assert await asyncio.to_thread(rebuild, settings, "redis") >= 2
    async with Redis.from_url(redis_url) as redis:
        assert msgspec.json.decode(await redis.get(f"cart:{key}") or "null")["version"] == 2


async def test_without_elasticsearch_there_is_nothing_to_rebuild(settings: Settings) -> None:
    with pytest.raises(ValueError, match="ECOMMERCE_ELASTICSEARCH"):
        await rebuild_elasticsearch(settings.model_copy(update={"elasticsearch": None}))
