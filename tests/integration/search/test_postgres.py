from collections.abc import AsyncIterator

import pytest

from sinks.search.backend import Query, SearchBackend, SearchUnavailableError
from sinks.search.postgres import PostgresSearch
from sinks.search.select import search_backend
from sinks.search.tolerance import TolerantSearch
from tests.integration.search.suite import SearchSuite
from topics.settings import Settings


class TestPostgresSearch(SearchSuite):
    @pytest.fixture
    async def backend(self, filled: Settings) -> AsyncIterator[SearchBackend]:
        chosen = search_backend(filled.model_copy(update={"elasticsearch": None}))
        assert isinstance(chosen, TolerantSearch)
        assert isinstance(chosen.engine, PostgresSearch)
        yield chosen
        await chosen.close()


async def test_a_database_that_is_away_is_said_so() -> None:
    backend = TolerantSearch(PostgresSearch("postgresql://nobody@127.0.0.1:9/none"))
    with pytest.raises(SearchUnavailableError, match="PostgreSQL"):
        await backend.search(Query())
    await backend.close()
