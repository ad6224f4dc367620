"""Deleting views that outlive the platform's own directory."""

import asyncio

from elasticsearch import AsyncElasticsearch

from connectors.elasticsearch import indices
from sinks.elasticsearch import INDICES

_TIMEOUT_S = 30.0


def drop_indices(url: str) -> None:
    """Delete the platform's indices in the Elasticsearch at `url`; others stay.

    Raises elasticsearch.TransportError where it does not answer, ApiError where it refuses.
    """
    asyncio.run(_drop(url))


async def _drop(url: str) -> None:
    async with AsyncElasticsearch(url, request_timeout=_TIMEOUT_S) as client:
        for index in INDICES:
            await indices.drop(client, index)
