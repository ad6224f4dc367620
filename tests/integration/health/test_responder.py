"""Every process that runs a responder answers every ping."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.health.responder import PingResponder
from schemas.envelope import fresh_id
from schemas.service import ServicePing, ServicePong
from tests.eventually import eventually_async
from topics.command import command
from topics.connection import aiokafka_options
from topics.producer import MessageProducer
from topics.registry import SERVICE_PING, SERVICE_PONG
from topics.settings import Settings
from topics.wire import decode


@pytest.mark.usefixtures("topics_created")
async def test_all_processes_answer_a_ping_and_unreadable_ones_are_passed_over(settings: Settings) -> None:
    healthy = True
    async with AsyncExitStack() as stack:
        for instance in ("one", "two"):
            await stack.enter_async_context(
                PingResponder(
                    settings,
                    "test-service",
                    instance,
                    healthy=lambda: healthy,
                    details=partial(dict, name=instance),
                )
            )
        producer = await stack.enter_async_context(MessageProducer(settings))
        consumer = AIOKafkaConsumer(**aiokafka_options(settings), enable_auto_commit=False)
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        place = TopicPartition(SERVICE_PONG.name, 0)
        consumer.assign([place])
        await consumer.seek_to_end(place)
        heard: dict[str, ServicePong] = {}

        async def ask() -> set[str]:
            """Ping; a responder hears what is sent after it has started, so ask again until both have."""
            await (await producer.send_raw(SERVICE_PING, b"x", b"unreadable"))
            ping = fresh_id()
            await producer.send_and_wait(SERVICE_PING, ping, command(SERVICE_PING, ping, ServicePing(ping)))
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    pong = decode(SERVICE_PONG, record.value).data
                    if pong.service == "test-service":
                        heard[pong.instance] = pong
            return set(heard)

        await eventually_async(ask, lambda names: names == {"one", "two"})
        assert heard["one"].healthy
        assert heard["two"].details == {"name": "two"}
        assert heard["one"].started_at > 0
        healthy = False
        heard.clear()
        await eventually_async(ask, lambda names: names == {"one", "two"})

        async def ill() -> bool:
            await ask()
            return not any(pong.healthy for pong in heard.values())

        await asyncio.wait_for(eventually_async(ill), 30)
