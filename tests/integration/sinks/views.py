"""Running connectors, feeding topics, and reading what became of it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from connectors.postgres.table import Row
from connectors.runtime.connector import SinkConnector
from connectors.runtime.dead_letters import DeadLetterTopic
from connectors.runtime.projection import AnyProjection
from connectors.runtime.sink import Sink
from schemas.envelope import Message
from sinks.postgres import PROJECTIONS, TABLES
from sinks.verify.spans import behind, committed, spans
from topics.producer import MessageProducer
from topics.settings import Settings
from topics.topic import Topic

Event = tuple[Topic[Any], Message[Any]]


def connector(
    settings: Settings,
    producer: MessageProducer,
    sink: Sink[Row],
    group: str,
    projections: Sequence[AnyProjection[Row]] = PROJECTIONS,
) -> SinkConnector[Row]:
    return SinkConnector(
        "postgres", projections, sink, DeadLetterTopic(producer, "postgres", group), settings, group=group
    )


@asynccontextmanager
async def running(*connectors: SinkConnector[Any]) -> AsyncIterator[None]:
    """Run connectors, and end them cleanly; an error of one of them comes out here."""
    tasks = [asyncio.create_task(each.run()) for each in connectors]
    try:
        yield
    finally:
        for each in connectors:
            each.stop()
        await asyncio.gather(*tasks)


async def publish(producer: MessageProducer, events: Iterable[Event]) -> None:
    sent = [await producer.send(topic, message.aggregate_id, message) for topic, message in events]
    await asyncio.gather(*sent)


async def caught_up(
    settings: Settings, group: str, projections: Sequence[AnyProjection[Row]] = PROJECTIONS
) -> bool:
    """Tell whether the group has committed all that is in its topics."""
    there = await spans(settings, [each.topic.name for each in projections])
    return not behind(there, await committed(settings, group))


async def contents(database: asyncpg.Connection) -> dict[str, list[Any]]:
    """Return all rows of all views."""
    return {
        table.name: [tuple(row) for row in await database.fetch(f"SELECT * FROM {table.name} ORDER BY 1, 2")]
        for table in TABLES
    }
