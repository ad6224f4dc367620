"""Search served by Elasticsearch, from the products' index alone.

A hit's availability is the document's own `available`, which follows `inventory.updated` under a version of
its own (`sinks.projectors.document`): it is as fresh as the sink, and the `in_stock` filter is the index's.
"""

from collections.abc import Mapping
from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from sinks.indices import PRODUCTS
from sinks.search.backend import (
    PRICE_STEPS,
    CategoryCount,
    Facets,
    Hit,
    PriceCount,
    Query,
    Results,
    SearchUnavailableError,
    Suggestion,
)
from sinks.search.marks import marked
from sinks.search.requests import search_body, suggest_body
from sinks.search.words import words

_TIMEOUT_S = 10.0


class ElasticsearchSearch:
    """A back end over the products' `index`; it connects when it is first asked."""

    def __init__(self, url: str, index: str = PRODUCTS.alias) -> None:
        self._index = index
        self._client = AsyncElasticsearch(url, request_timeout=_TIMEOUT_S)

    async def search(self, query: Query) -> Results:
        """Return a page of hits. Raises SearchUnavailableError where the server does not answer."""
        results = await self._search(query, tolerant=False)
        if results.total == 0 and words(query.text):
            return await self._search(query, tolerant=True)
        return results

    async def suggest(self, prefix: str, limit: int = 8) -> tuple[Suggestion, ...]:
        """Return suggestions. Raises SearchUnavailableError where the server does not answer."""
        typed = words(prefix)
        if not typed:
            return ()
        for tolerant in (False, True):
            found = (await self._ask(suggest_body(typed, limit, tolerant=tolerant)))["hits"]["hits"]
            if found:
                break
        return tuple(Suggestion(sku=each["_source"]["sku"], name=each["_source"]["name"]) for each in found)

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()

    async def _search(self, query: Query, *, tolerant: bool) -> Results:
        answer = await self._ask(search_body(query, tolerant=tolerant))
        counts = answer["aggregations"]
        return Results(
            hits=tuple(_hit(each) for each in answer["hits"]["hits"]),
            total=answer["hits"]["total"]["value"],
            facets=Facets(
                categories=tuple(
                    CategoryCount(bucket["key"], bucket["doc_count"])
                    for bucket in counts["categories"]["counts"]["buckets"]
                ),
                prices=tuple(
                    PriceCount(
                        low, None if bucket.get("to") is None else int(bucket["to"]), bucket["doc_count"]
                    )
                    for low, bucket in zip(PRICE_STEPS, counts["prices"]["counts"]["buckets"], strict=True)
                ),
            ),
        )

    async def _ask(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            answer = await self._client.search(index=self._index, body=dict(body))
        except (ApiError, TransportError) as error:
            raise SearchUnavailableError(f"Elasticsearch does not answer: {error}") from error
        result: Mapping[str, Any] = answer.body
        return result


def _hit(found: Mapping[str, Any]) -> Hit:
    source = found["_source"]
    highlights = found.get("highlight", {}).get("name")
    return Hit(
        sku=source["sku"],
        name=source["name"],
        description=source["description"],
        categories=tuple(source["categories"]),
        price=source["price"],
        currency=source["currency"],
        available=source.get("available", 0),
        highlight=marked(highlights[0] if highlights else source["name"]),
    )
