"""Search served by Elasticsearch, from the products' index alone.

A hit's availability is the document's own `available`, which follows `inventory.updated` under a version of
its own (`sinks.product.document`): it is as fresh as the sink, and the `in_stock` filter is the index's.
"""

from collections.abc import Mapping
from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from sinks.product.index import PRODUCTS
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
from sinks.search.fresh import Fresh
from sinks.search.marks import marked
from sinks.search.requests import VOCABULARY, search_body, suggest_body
from sinks.search.vocabulary import LEARNT_S, VOCABULARY_S, Vocabulary
from sinks.search.words import words

_TIMEOUT_S = 10.0


class ElasticsearchSearch:
    """An engine over the products' `index`; it connects when it is first asked."""

    def __init__(self, url: str, index: str = PRODUCTS.alias) -> None:
        self._index = index
        self._client = AsyncElasticsearch(url, request_timeout=_TIMEOUT_S)
        self._words = Fresh(self._vocabulary, VOCABULARY_S)

    async def search(self, query: Query, *, tolerant: bool) -> Results:
        """Return a page of hits. Raises SearchUnavailableError where the server does not answer."""
        known = await self._words.value()
        answer = await self._ask(search_body(query, known.readings(words(query.text), tolerant=tolerant)))
        counts = answer["aggregations"]
        found = answer["hits"]["hits"]
        shown, more = found[: query.limit], len(found) > query.limit
        return Results(
            hits=tuple(_hit(each) for each in shown),
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
            following=tuple(shown[-1]["sort"]) if more else None,
        )

    async def suggest(self, prefix: str, limit: int, *, tolerant: bool) -> tuple[Suggestion, ...]:
        """Return suggestions. Raises SearchUnavailableError where the server does not answer."""
        known = await self._words.value()
        answer = await self._ask(suggest_body(known.readings(words(prefix), tolerant=tolerant), limit))
        return tuple(
            Suggestion(sku=each["_source"]["sku"], name=each["_source"]["name"])
            for each in answer["hits"]["hits"]
        )

    async def learn(self) -> bool:
        """Learn the words of new products, unless that was done a second ago."""
        return await self._words.renew(LEARNT_S)

    async def close(self) -> None:
        """Disconnect."""
        await self._words.close()
        await self._client.close()

    async def _vocabulary(self) -> Vocabulary:
        answer = await self._ask(VOCABULARY)
        buckets = answer["aggregations"]["words"]["buckets"]
        return Vocabulary({bucket["key"]: bucket["doc_count"] for bucket in buckets})

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
