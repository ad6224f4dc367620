from collections.abc import AsyncIterator

import pytest

from connectors.postgres.sink import PostgresSink
from sinks.migrate import migrate
from sinks.postgres import PROJECTIONS
from sinks.rows import TABLES
from sinks.search.backend import Query, SearchBackend, SearchUnavailableError
from sinks.search.postgres import PostgresSearch
from sinks.search.select import search_backend
from sinks.search.tolerance import TolerantSearch
from tests.integration.search.catalogue import RECORDS
from tests.integration.search.suite import SearchSuite
from tests.unit.sinks.records import batch
from topics.settings import Settings


class TestPostgresSearch(SearchSuite):
    @pytest.fixture
    async def backend(self, postgres: str, settings: Settings) -> AsyncIterator[SearchBackend]:
        migrate(settings)
        sink = PostgresSink(postgres, TABLES)
        assert await sink.write(batch(PROJECTIONS, RECORDS)) == ()
        await sink.close()
        chosen = search_backend(settings.model_copy(update={"elasticsearch": None}))
        assert isinstance(chosen, TolerantSearch)
        assert isinstance(chosen.engine, PostgresSearch)
        yield chosen
        await chosen.close()


async def test_a_database_that_is_away_is_said_so() -> None:
    backend = TolerantSearch(PostgresSearch("postgresql://nobody@127.0.0.1:9/none"))
    with pytest.raises(SearchUnavailableError, match="PostgreSQL"):
        await backend.search(Query())
    await backend.close()
