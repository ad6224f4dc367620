from collections.abc import AsyncIterator

import asyncpg
import pytest

from connectors.postgres.sink import PostgresSink
from sinks.migrate import migrate
from sinks.rows import TABLES
from topics.settings import Settings


@pytest.fixture
def views(settings: Settings, postgres: str) -> str:
    """Return the DSN of a database with empty views."""
    migrate(settings)
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
