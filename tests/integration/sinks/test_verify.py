"""Comparing views with the topics that feed them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from elasticsearch import AsyncElasticsearch
from redis.asyncio import Redis

from connectors.elasticsearch import indices
from connectors.elasticsearch.sink import ElasticsearchSink
from connectors.postgres.sink import PostgresSink
from connectors.redis.sink import RedisSink
from connectors.runtime.sink import Sink
from schemas.order import OrderStatus
from schemas.payment import PaymentStatus
from sinks.cart.projectors import cart_key
from sinks.postgres import TABLES
from sinks.redis import TTL_S
from sinks.verify.findings import Findings
from sinks.verify.sides import Unreadable
from sinks.verify.spans import behind, committed, spans
from sinks.verify.verify import Verification
from sinks.views import Choice
from tests.eventually import eventually_async
from tests.integration.sinks.own_topics import OwnTopics
from tests.integration.sinks.views import Event, running
from tests.unit.sinks.messages import cart, event, order, payment, product, stock, uid
from topics import registry as t
from topics.settings import Settings

ORDERS_MADE = 5


def told(name: str) -> list[Event]:
    """Return the events of some orders, a product and a cart."""
    events: list[Event] = [
        (t.PRODUCT_CREATED, event(t.PRODUCT_CREATED, f"{name}-sku", 1, product())),
        (t.PRODUCT_UPDATED, event(t.PRODUCT_UPDATED, f"{name}-sku", 2, product(price=300))),
        (t.INVENTORY_UPDATED, event(t.INVENTORY_UPDATED, f"{name}-sku", 1, stock(7))),
        (t.CART_UPDATED, event(t.CART_UPDATED, f"{name}-cart", 1, cart("a"))),
        (t.CART_UPDATED, event(t.CART_UPDATED, f"{name}-cart", 2, cart("a", "b"))),
    ]
    for number in range(ORDERS_MADE):
        key = uid(f"{name}-{number}")
        events += [
            (t.ORDER_PLACED, event(t.ORDER_PLACED, key, 1, order())),
            (t.ORDER_CONFIRMED, event(t.ORDER_CONFIRMED, key, 2, order(OrderStatus.CONFIRMED))),
            (t.PAYMENT_CAPTURED, event(t.PAYMENT_CAPTURED, key, 1, payment(PaymentStatus.CAPTURED))),
        ]
    return events


async def follow(settings: Settings, own: OwnTopics, chosen: Choice, sink: Sink[Any]) -> None:
    """Let the views' sink read what there is, and stop."""
    async with running(own.connector(chosen, sink)):
        await eventually_async(lambda: lag(settings, chosen), lambda records: records == 0)


async def lag(settings: Settings, chosen: Choice) -> int:
    return behind(await spans(settings, chosen.topics), await committed(settings, chosen.group))


async def verified(settings: Settings, chosen: Choice) -> Findings:
    return await Verification(settings, chosen).run()


async def test_what_a_sink_wrote_is_equal_and_what_was_changed_is_named(
    settings: Settings, own: OwnTopics, views: str, database: asyncpg.Connection, group_suffix: str
) -> None:
    chosen = own.choice("postgres")
    await own.publish(told(group_suffix))
    await follow(settings, own, chosen, PostgresSink(views, TABLES))
    found = await verified(settings, chosen)
    assert (found.differences, found.behind, found.lag) == ((), 0, 0)
    parts = {part.name: part for part in found.parts}
    assert all(
        (each.expected, each.expected_checksum) == (each.held, each.held_checksum) for each in found.parts
    )
    assert (parts["orders"].held, parts["order_lines"].held) == (ORDERS_MADE, 2 * ORDERS_MADE)

    first, second, third = (uid(f"{group_suffix}-{number}") for number in range(3))
    await database.execute("UPDATE products SET price = 1, version = 999")
    await database.execute("DELETE FROM order_lines WHERE order_id = $1::uuid AND ordinal = 1", first)
    await database.execute("DELETE FROM orders WHERE order_id = $1::uuid", second)
    await database.execute(
        "UPDATE order_events SET detail = '{}' WHERE order_id = $1::uuid AND version = 2", third
    )
    await database.execute("INSERT INTO stock_levels VALUES ('by-hand', 1, 0, 1, 1, 0, 1, 1, now())")
    found = await verified(settings, chosen)
    changed = await database.fetchval(
        "SELECT event_id::text FROM order_events WHERE order_id = $1::uuid AND version = 2", third
    )
    assert {(each.view, each.key.split()[0], each.kind) for each in found.differences} == {
        ("products", f"{group_suffix}-sku", "different"),
        ("order_lines", first, "different"),
        ("orders", second, "missing"),
        ("order_events", changed, "different"),
        ("stock_levels", "by-hand", "extra"),
    }
    only = await verified(settings, own.choice("orders"))
    assert {each.view for each in only.differences} == {"orders", "order_lines"}


async def test_what_is_not_read_yet_is_behind_and_not_different(
    settings: Settings, own: OwnTopics, views: str, database: asyncpg.Connection, group_suffix: str
) -> None:
    chosen = own.choice("orders")
    await own.publish(told(group_suffix))
    await follow(settings, own, chosen, PostgresSink(views, TABLES))
    await own.publish(told(f"{group_suffix}-later"))
    found = await verified(settings, chosen)
    assert found.equal
    assert found.lag == 2 * ORDERS_MADE
    assert found.behind == 3 * ORDERS_MADE, "the orders, their lines, their charges"
    lost = uid(f"{group_suffix}-0")
    await database.execute("DELETE FROM orders WHERE order_id = $1::uuid", lost)
    found = await verified(settings, chosen)
    assert [(each.key, each.kind) for each in found.differences] == [(lost, "missing")], (
        "behind hides nothing"
    )


async def test_a_record_that_was_refused_is_no_difference(
    settings: Settings, own: OwnTopics, views: str, group_suffix: str
) -> None:
    chosen = own.choice("products")
    bad = event(t.PRODUCT_UPDATED, f"{group_suffix}-sku", 3, product("nul \x00"))
    await own.publish([*told(group_suffix), (t.PRODUCT_UPDATED, bad)])
    await own.send_raw(t.PRODUCT_UPDATED, b"text", b"not avro")
    await follow(settings, own, chosen, PostgresSink(views, TABLES))
    found = await verified(settings, chosen)
    assert (found.differences, found.refused) == ((), 1)


async def test_views_are_compared_while_they_are_written(
    settings: Settings, own: OwnTopics, views: str, group_suffix: str
) -> None:
    chosen = own.choice("postgres")
    done = asyncio.Event()

    async def shop() -> None:
        number = 0
        while not done.is_set():
            number += 1
            await own.publish(told(f"{group_suffix}-{number}"))

    async with running(own.connector(chosen, PostgresSink(views, TABLES))):
        shopping = asyncio.create_task(shop())
        try:
            await eventually_async(lambda: committed(settings, chosen.group))
            found = await verified(settings, chosen)
        finally:
            done.set()
            await shopping
    assert found.differences == ()


@pytest.fixture
async def index(elasticsearch: str, own: OwnTopics) -> AsyncIterator[str]:
    """An Elasticsearch without the platform's indices, before and after."""
    async with AsyncElasticsearch(elasticsearch) as client:
        for each in own.choice("elasticsearch").indices:
            await indices.drop(client, each)
        yield elasticsearch
        for each in own.choice("elasticsearch").indices:
            await indices.drop(client, each)


async def test_indices_are_compared_by_documents_and_their_parts(
    settings: Settings, own: OwnTopics, index: str, group_suffix: str
) -> None:
    chosen = own.choice("elasticsearch")
    await own.publish(told(group_suffix))
    await follow(settings, own, chosen, ElasticsearchSink(index, chosen.indices))
    found = await verified(settings, chosen)
    assert found.equal, found.differences
    held = {part.name: part.held for part in found.parts}
    assert held == {
        "ecommerce-products.version": 1,
        "ecommerce-products.stock_version": 1,
        "ecommerce-orders": ORDERS_MADE,
    }
    gone = uid(f"{group_suffix}-1")
    async with AsyncElasticsearch(index) as client:
        await client.update(index="ecommerce-products", id=f"{group_suffix}-sku", doc={"available": 99})
        await client.delete(index="ecommerce-orders", id=gone)
        await client.index(index="ecommerce-orders", id="typed", document={"total": 1})
    found = await verified(settings, chosen)
    assert {(each.view, each.key, each.kind) for each in found.differences} == {
        ("ecommerce-products.stock_version", f"{group_suffix}-sku", "different"),
        ("ecommerce-orders", gone, "missing"),
        ("ecommerce-orders", "typed", "extra"),
    }


async def test_redis_is_compared_by_what_its_values_say(
    settings: Settings, own: OwnTopics, redis_url: str, group_suffix: str
) -> None:
    chosen = own.choice("redis")
    await own.publish(told(group_suffix))
    await follow(settings, own, chosen, RedisSink(redis_url, TTL_S))
    found = await verified(settings, chosen)
    assert found.equal, found.differences
    assert [part.held for part in found.parts] == [1, 1]
    key = cart_key(f"{group_suffix}-cart")
    async with Redis.from_url(redis_url) as redis:
        await redis.set(key, b'{"version": 2}')
        await redis.set("cart:typed", b"\xff")
        await redis.set(f"product:{group_suffix}-sku", b"a reader's own")
        await redis.delete(f"product:{group_suffix}-sku:newest")
    found = await verified(settings, chosen)
    assert {(each.key, each.kind) for each in found.differences} == {
        (key, "different"),
        ("cart:typed", "extra"),
        (f"product:{group_suffix}-sku:newest", "missing"),
    }


async def test_a_server_that_does_not_answer_is_said_so(settings: Settings, own: OwnTopics) -> None:
    away = settings.model_copy(
        update={
            "postgres": "postgresql://nobody@127.0.0.1:1/none",
            "elasticsearch": "http://127.0.0.1:9",
            "redis": "redis://127.0.0.1:9/0",
        }
    )
    for name in ("postgres", "elasticsearch", "redis"):
        with pytest.raises(Unreadable):
            await Verification(away, own.choice(name)).run()
