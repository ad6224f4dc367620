from collections.abc import Mapping

import pytest

from connectors.postgres.sink import PostgresSink
from schemas.product import ProductSnapshot
from sinks.migrate import migrate
from sinks.postgres import PROJECTIONS, TABLES
from tests.integration.search.catalogue import RECORDS, later
from tests.integration.search.suite import Put
from tests.unit.sinks.records import batch
from topics.settings import Settings


@pytest.fixture
def put(postgres: str, filled: Settings) -> Put:  # noqa: ARG001 (it has the views)
    """Write products into PostgreSQL's views."""

    async def write(products: Mapping[str, ProductSnapshot]) -> None:
        sink = PostgresSink(postgres, TABLES)
        assert await sink.write(batch(PROJECTIONS, later(products))) == ()
        await sink.close()

    return write


@pytest.fixture
async def filled(postgres: str, settings: Settings) -> Settings:
    """Settings of a PostgreSQL whose views hold the suite's catalogue."""
    migrate(settings)
    sink = PostgresSink(postgres, TABLES)
    assert await sink.write(batch(PROJECTIONS, RECORDS)) == ()
    await sink.close()
    return settings
