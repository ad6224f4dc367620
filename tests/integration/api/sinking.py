"""The platform's own sinks in the test's loop, from the topics' ends on, without a consumer group."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.postgres.sink import PostgresSink
from connectors.redis.sink import RedisSink
from connectors.runtime.connector import SinkConnector
from connectors.runtime.dead_letters import DeadLetterTopic
from sinks import postgres, redis
from sinks.postgres import TABLES
from topics.connection import aiokafka_options
from topics.producer import MessageProducer
from topics.settings import Settings


async def _ends(settings: Settings, topics: list[str]) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(*topics, **aiokafka_options(settings), enable_auto_commit=False)
    await consumer.start()
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(list(consumer.assignment()))
        return ends
    finally:
        await consumer.stop()


@asynccontextmanager
async def sinking(settings: Settings) -> AsyncIterator[None]:
    async with MessageProducer(settings, "test-sinks") as producer:
        parts: list[tuple[str, Any, Any]] = [
            ("postgres", postgres, PostgresSink(settings.postgres_dsn, TABLES)),
            ("redis", redis, RedisSink(settings.redis_url, redis.TTL_S)),
        ]
        running = [
            SinkConnector(
                name,
                module.PROJECTIONS,
                sink,
                DeadLetterTopic(producer, name, "test"),
                settings,
                positions=await _ends(settings, [each.topic.name for each in module.PROJECTIONS]),
            )
            for name, module, sink in parts
        ]
        tasks = [asyncio.create_task(connector.run()) for connector in running]
        try:
            yield
        finally:
            for connector in running:
                connector.stop()
            await asyncio.gather(*tasks)
