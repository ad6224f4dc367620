from collections.abc import AsyncIterator

import asyncpg
import pytest

from connectors.postgres.sink import PostgresSink
from deploy.run.migrate import bring_up_to_date
from sinks.postgres import TABLES
from tests.integration.sinks.own_topics import OwnTopics
from topics.connection import KafkaOptions
from topics.producer import MessageProducer
from topics.settings import Settings


@pytest.fixture
def views(settings: Settings, postgres: str) -> str:
    """Return the DSN of a database with empty views."""
    bring_up_to_date(settings)
    return postgres


@pytest.fixture
async def sink(views: str) -> AsyncIterator[PostgresSink]:
    writing = PostgresSink(views, TABLES)
    yield writing
    await writing.close()


@pytest.fixture
async def database(views: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(views)
    yield connection
    await connection.close()


@pytest.fixture
async def producer(settings: Settings, topics_created: KafkaOptions) -> AsyncIterator[MessageProducer]:  # noqa: ARG001
    async with MessageProducer(settings, "test") as started:
        yield started


@pytest.fixture
async def own(settings: Settings, producer: MessageProducer, group_suffix: str) -> AsyncIterator[OwnTopics]:
    """Topics that hold nothing but what the test sends."""
    topics = OwnTopics(settings, producer, group_suffix)
    await topics.create()
    yield topics
    await topics.delete()
