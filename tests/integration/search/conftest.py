import pytest

from connectors.postgres.sink import PostgresSink
from sinks.migrate import migrate
from sinks.postgres import PROJECTIONS
from sinks.rows import TABLES
from tests.integration.search.catalogue import RECORDS
from tests.unit.sinks.records import batch
from topics.settings import Settings


@pytest.fixture
async def filled(postgres: str, settings: Settings) -> Settings:
    """Settings of a PostgreSQL whose views hold the suite's catalogue."""
    migrate(settings)
    sink = PostgresSink(postgres, TABLES)
    assert await sink.write(batch(PROJECTIONS, RECORDS)) == ()
    await sink.close()
    return settings
