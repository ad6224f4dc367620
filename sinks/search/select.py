"""Chooses the search back end by the settings."""

from sinks.search.backend import SearchBackend
from sinks.search.elasticsearch import ElasticsearchSearch
from sinks.search.postgres import PostgresSearch
from sinks.search.tolerance import Engine, TolerantSearch
from topics.settings import Settings


def search_engine(settings: Settings) -> Engine:
    """Return Elasticsearch where its address is set, else PostgreSQL."""
    if settings.elasticsearch:
        return ElasticsearchSearch(settings.elasticsearch)
    return PostgresSearch(settings.postgres_dsn)


def search_backend(settings: Settings) -> SearchBackend:
    """Return the search over the configured engine."""
    return TolerantSearch(search_engine(settings))
