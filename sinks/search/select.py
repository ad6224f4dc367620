"""Chooses the search back end by the settings."""

from sinks.search.backend import SearchBackend
from sinks.search.elasticsearch import ElasticsearchSearch
from sinks.search.postgres import PostgresSearch
from topics.settings import Settings


def search_backend(settings: Settings) -> SearchBackend:
    """Return Elasticsearch's back end where its address is set, else PostgreSQL's."""
    if settings.elasticsearch:
        return ElasticsearchSearch(settings.elasticsearch)
    return PostgresSearch(settings.postgres_dsn)
