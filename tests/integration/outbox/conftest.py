from collections.abc import AsyncIterator

import asyncpg
import pytest

from deploy.run.migrate import bring_up_to_date
from topics.connection import KafkaOptions
from topics.settings import Settings


@pytest.fixture
def accounts(settings: Settings, postgres: str, topics_created: KafkaOptions) -> Settings:  # noqa: ARG001 (they are there)
    """Settings of a database with empty accounts and an empty outbox."""
    bring_up_to_date(settings)
    return settings


@pytest.fixture
async def pool(accounts: Settings) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    async with asyncpg.create_pool(accounts.postgres_dsn, min_size=1, max_size=16) as made:
        yield made
