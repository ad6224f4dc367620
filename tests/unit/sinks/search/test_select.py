"""Which engine is asked, by the settings: Elasticsearch before PostgreSQL, or PostgreSQL alone."""

from sinks.search.elasticsearch import ElasticsearchSearch
from sinks.search.fallback import FallbackSearch
from sinks.search.postgres import PostgresSearch
from sinks.search.select import search_backend
from sinks.search.tolerance import TolerantSearch
from topics.settings import Settings


async def test_postgresql_serves_search_where_no_elasticsearch_is_set() -> None:
    chosen = search_backend(Settings(elasticsearch=None))
    assert isinstance(chosen, TolerantSearch)
    assert isinstance(chosen.engine, PostgresSearch)


async def test_elasticsearch_is_asked_first_where_it_is_set() -> None:
    chosen = search_backend(Settings(elasticsearch="http://127.0.0.1:9"))
    assert isinstance(chosen, FallbackSearch)
    assert isinstance(chosen.first, TolerantSearch)
    assert isinstance(chosen.first.engine, ElasticsearchSearch)
    assert isinstance(chosen.second, TolerantSearch)
    assert isinstance(chosen.second.engine, PostgresSearch)
    await chosen.close()
