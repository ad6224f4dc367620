"""Running outbox sources, and reading what they published."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from aiokafka import AIOKafkaConsumer

from connectors.outbox.source import OutboxSource
from schemas.envelope import Message
from schemas.user import UserSnapshot
from sinks.verify.spans import spans
from tests import kafka_elsewhere
from tests.child import child
from topics.connection import aiokafka_options
from topics.registry import USER_REGISTERED, USER_UPDATED
from topics.settings import Settings
from topics.wire import decode

TOPICS = {topic.name: topic for topic in (USER_REGISTERED, USER_UPDATED)}
PROGRAM = "from connectors.outbox.run import run; from topics.settings import settings; run(settings())"


@asynccontextmanager
async def running(*sources: OutboxSource) -> AsyncIterator[None]:
    """Run sources, and end them cleanly; an error of one of them comes out here."""
    tasks = [asyncio.create_task(each.run()) for each in sources]
    try:
        yield
    finally:
        for each in sources:
            each.stop()
        await asyncio.gather(*tasks)


def process(settings: Settings) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """Run the outbox source as a process of its own."""
    environment = {
        "ECOMMERCE_PORT_BASE": str(settings.port_base),
        **kafka_elsewhere.environment(settings),
        "ECOMMERCE_POSTGRES": settings.postgres_dsn,
    }
    return child(PROGRAM, environment)


async def records(settings: Settings, topics: Iterable[str] = TOPICS) -> list[tuple[bytes, bytes]]:
    """Return (key, value) of all that the topics hold now; a topic's partitions each in their order."""
    until = (await spans(settings, topics)).ends
    consumer = AIOKafkaConsumer(**aiokafka_options(settings), enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(list(until))
        await consumer.seek_to_beginning()
        read: list[tuple[bytes, bytes]] = []
        async with asyncio.timeout(60):
            while any([await consumer.position(place) < end for place, end in until.items()]):
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    read += [(record.key, record.value) for record in batch]
        return read
    finally:
        await consumer.stop()


async def events(settings: Settings, users: Iterable[str]) -> dict[str, list[Message[UserSnapshot]]]:
    """Return the users' events by user, each as often as it lies in the topics, a topic's in their order."""
    wanted = {user.encode() for user in users}
    found: dict[str, list[Message[UserSnapshot]]] = defaultdict(list)
    for name, topic in TOPICS.items():
        for key, value in await records(settings, [name]):
            if key in wanted:
                found[key.decode()].append(decode(topic, value))
    return found
