"""Chooses the search back end by the settings."""

from sinks.search.backend import SearchBackend
from sinks.search.elasticsearch import ElasticsearchSearch
from sinks.search.fallback import FallbackSearch
from sinks.search.postgres import PostgresSearch
from sinks.search.tolerance import TolerantSearch
from topics.settings import Settings


def search_backend(settings: Settings) -> SearchBackend:
    """Return the search over PostgreSQL; where Elasticsearch's address is set, over that while it answers."""
    postgres = TolerantSearch(PostgresSearch(settings.postgres_dsn))
    if not settings.elasticsearch:
        return postgres
    return FallbackSearch(TolerantSearch(ElasticsearchSearch(settings.elasticsearch)), postgres)
