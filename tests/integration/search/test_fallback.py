"""Search with an Elasticsearch that is away: PostgreSQL answers, as well as it would alone."""

from collections.abc import AsyncIterator

import pytest

from sinks.search.backend import SearchBackend
from sinks.search.fallback import FallbackSearch
from sinks.search.select import search_backend
from tests.integration.search.suite import SearchSuite
from topics.settings import Settings


class TestFallbackSearch(SearchSuite):
    @pytest.fixture
    async def backend(self, filled: Settings) -> AsyncIterator[SearchBackend]:
        chosen = search_backend(filled.model_copy(update={"elasticsearch": "http://127.0.0.1:9"}))
        assert isinstance(chosen, FallbackSearch)
        yield chosen
        await chosen.close()
