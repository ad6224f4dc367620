"""A producer whose start fails or is called off leaves nothing behind: a forgotten one would warn here."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest
from aiokafka.errors import KafkaConnectionError

from topics.producer import MessageProducer
from topics.settings import Settings


@pytest.fixture
async def mute() -> AsyncIterator[tuple[Settings, asyncio.Event]]:
    """A broker that takes connections and never answers, and whether it has been called."""
    called = asyncio.Event()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        while await reader.read(4096):
            pass
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield Settings(kafka=f"127.0.0.1:{port}"), called
    server.close()
    gc.collect()


async def test_a_start_that_is_called_off_leaves_nothing_open(mute: tuple[Settings, asyncio.Event]) -> None:
    settings, called = mute
    starting = asyncio.create_task(MessageProducer(settings).start())
    await called.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    del starting
    gc.collect()


async def test_a_start_without_a_broker_leaves_nothing_open() -> None:
    with pytest.raises(KafkaConnectionError):
        await MessageProducer(Settings(kafka="127.0.0.1:1")).start()
    gc.collect()
