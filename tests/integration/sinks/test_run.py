"""The sinks' process: killed and started again, asked for its health, and ended cleanly."""

import asyncio
import signal
from contextlib import AbstractAsyncContextManager

import asyncpg
import httpx
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer
from redis.asyncio import Redis

from schemas.order import OrderStatus
from schemas.service import ServicePing, ServicePong
from sinks.verify.spans import spans
from tests import kafka_elsewhere
from tests.child import child
from tests.eventually import eventually_async
from tests.integration.sinks.views import Event, publish
from tests.unit.sinks.messages import cart, event, order, stock, uid
from topics import registry as t
from topics.command import command
from topics.connection import aiokafka_options
from topics.producer import MessageProducer
from topics.settings import PortOffset, Settings
from topics.wire import decode

ORDERS_MADE = 400


PROGRAM = "from sinks.run import run; from topics.settings import settings; run(settings())"


def story(name: str) -> list[Event]:
    events: list[Event] = []
    for number in range(ORDERS_MADE):
        key = uid(f"{name}-{number}")
        events += [
            (t.ORDER_PLACED, event(t.ORDER_PLACED, key, 1, order())),
            (t.CART_UPDATED, event(t.CART_UPDATED, key, 1, cart("a"))),
            (t.INVENTORY_UPDATED, event(t.INVENTORY_UPDATED, f"{name}-sku", number + 1, stock(number))),
            (t.ORDER_CONFIRMED, event(t.ORDER_CONFIRMED, key, 2, order(OrderStatus.CONFIRMED))),
            (t.CART_UPDATED, event(t.CART_UPDATED, key, 2, cart())),
        ]
    return events


def process(settings: Settings) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    environment = {
        "ECOMMERCE_PORT_BASE": str(settings.port_base),
        **kafka_elsewhere.environment(settings),
        "ECOMMERCE_POSTGRES": settings.postgres_dsn,
        "ECOMMERCE_REDIS": settings.redis_url,
        "ECOMMERCE_ELASTICSEARCH": "",
    }
    return child(
        "from sinks.run import run; from topics.settings import settings; run(settings())", environment
    )


@pytest.mark.usefixtures("topics_created", "views")
async def test_killed_under_load_and_started_again_nothing_is_lost_or_doubled(
    settings: Settings, database: asyncpg.Connection, redis_url: str, group_suffix: str
) -> None:
    keys = [uid(f"{group_suffix}-{number}") for number in range(ORDERS_MADE)]
    orders = "SELECT count(*) FROM orders WHERE order_id = ANY($1::uuid[])"

    async with MessageProducer(settings, "test") as producer:
        events = story(group_suffix)
        third = len(events) // 3
        for part in range(2):
            seen = await database.fetchval(orders, keys)
            async with process(settings) as killed:
                publishing = asyncio.create_task(publish(producer, events[part * third : (part + 1) * third]))
                await eventually_async(
                    lambda: database.fetchval(orders, keys),
                    lambda found, seen=seen: bool(found > seen),  # type: ignore[misc] # bound per turn
                    seconds=60,
                )
                killed.kill()
                await killed.wait()
            await publishing
        await publish(producer, events[2 * third :])
        async with process(settings) as last:
            await eventually_async(
                lambda: database.fetchval(f"{orders} AND status = 'confirmed'", keys),
                lambda found: found == ORDERS_MADE,
                seconds=60,
            )
            counted = (
                "SELECT (SELECT count(*) FROM order_lines WHERE order_id = ANY($1::uuid[])) AS lines,"
                " (SELECT count(*) FROM order_events WHERE order_id = ANY($1::uuid[])) AS events,"
                " (SELECT count(*) FROM stock_movements WHERE sku = $2) AS movements"
            )
            expected = (2 * ORDERS_MADE, 2 * ORDERS_MADE, ORDERS_MADE)
            await eventually_async(
                lambda: database.fetchrow(counted, keys, f"{group_suffix}-sku"),
                lambda counts: tuple(counts) == expected,
            )
            async with Redis.from_url(redis_url) as redis:
                await eventually_async(lambda: _emptied(redis, keys), lambda count: count == ORDERS_MADE)

            pong = await _ping(settings, producer)
            assert (pong.service, pong.healthy) == ("sink", True)
            assert pong.details == {"postgres": "up", "redis": "up"}
            # The lag is told when the sink has looked, once a second.
            metrics = await eventually_async(
                lambda: _metrics(settings), lambda text: "ecommerce_sink_lag_records{" in text
            )
            assert 'ecommerce_sink_batches_total{sink="postgres"}' in metrics

            last.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(last.wait(), 30) == 0


async def _metrics(settings: Settings) -> str:
    async with httpx.AsyncClient() as client:
        port = settings.port(PortOffset.SINK_METRICS)
        return (await client.get(f"http://{settings.host}:{port}/metrics")).text


async def _emptied(redis: Redis, keys: list[str]) -> int:
    carts = [
        msgspec.json.decode(value) for value in await redis.mget([f"cart:{key}" for key in keys]) if value
    ]
    return sum(1 for view in carts if view["version"] == 2 and view["lines"] == [])


async def _ping(settings: Settings, producer: MessageProducer) -> ServicePong:
    """Ping until a sink answers: a process hears no ping that was sent before it listened."""
    (place, end), *_ = (await spans(settings, [t.SERVICE_PONG.name])).ends.items()
    consumer = AIOKafkaConsumer(**aiokafka_options(settings), enable_auto_commit=False)
    await consumer.start()
    consumer.assign([place])
    consumer.seek(place, end)

    async def answer() -> ServicePong | None:
        ping = command(t.SERVICE_PING, "ping", ServicePing("ping"))
        await producer.send_and_wait(t.SERVICE_PING, "ping", ping)
        records = await consumer.getmany(timeout_ms=1000)
        pongs = [decode(t.SERVICE_PONG, record.value).data for record in records.get(place, [])]
        return next((pong for pong in pongs if pong.service == "sink"), None)

    try:
        pong = await eventually_async(answer, lambda found: found is not None)
        assert pong is not None
        return pong
    finally:
        await consumer.stop()
