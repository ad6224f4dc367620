"""Loads the shop into a server and measures its search, and the plain query that it is compared with."""

import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple, TypeVar

import asyncpg
from elasticsearch import AsyncElasticsearch

from connectors.elasticsearch import indices
from connectors.elasticsearch.sink import ElasticsearchSink
from connectors.postgres.sink import PostgresSink
from connectors.runtime.projection import AnyProjection
from connectors.runtime.sink import Sink
from sinks import elasticsearch, postgres
from sinks.elasticsearch import INDICES
from sinks.migrate import migrate
from sinks.postgres import TABLES
from sinks.product.index import PRODUCTS
from sinks.search.backend import Query, SearchBackend
from sinks.search.elasticsearch import ElasticsearchSearch
from sinks.search.postgres import PostgresSearch
from sinks.search.tolerance import TolerantSearch
from tests.relevance.figures import DEPTH, mean, ndcg, recall
from tests.relevance.judgements import judged
from tests.relevance.shop import goods, records
from tests.unit.sinks.records import batch
from topics.settings import Settings

ALL = "all"

_BATCH = 500

R = TypeVar("R")

Ranked = Callable[[str], Awaitable[Sequence[str]]]
"""From what is typed to SKUs, best first."""


class Figures(NamedTuple):
    """Means over so many queries."""

    ndcg: float
    recall: float
    queries: int


class Contest(NamedTuple):
    """The platform's search on a server, and the plain query there."""

    candidate: Ranked
    baseline: Ranked


async def measure(ranked: Ranked) -> dict[str, Figures]:
    """Ask every judged query, and return the figures of each kind and of all."""
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for query in judged(goods()):
        skus = await ranked(query.text)
        scores = ndcg(skus, query.grades), recall(skus, query.grades)
        found[query.kind].append(scores)
        found[ALL].append(scores)
    return {
        kind: Figures(mean(n for n, _ in scores), mean(r for _, r in scores), len(scores))
        for kind, scores in found.items()
    }


@asynccontextmanager
async def on_postgres(settings: Settings) -> AsyncIterator[Contest]:
    """Fill the views of an empty database; the plain query is a tsquery over the English names."""
    dsn = settings.postgres_dsn
    migrate(settings)
    await _fill(PostgresSink(dsn, TABLES), postgres.PROJECTIONS)
    search = TolerantSearch(PostgresSearch(dsn))
    connection = await asyncpg.connect(dsn)

    async def plain(text: str) -> list[str]:
        rows = await connection.fetch(
            "SELECT sku FROM products, to_tsvector('english', name) AS words, "
            "plainto_tsquery('english', $1) AS wanted "
            "WHERE words @@ wanted ORDER BY ts_rank(words, wanted) DESC, sku LIMIT $2",
            text,
            DEPTH,
        )
        return [row["sku"] for row in rows]

    try:
        yield Contest(_by(search), plain)
    finally:
        await connection.close()
        await search.close()


@asynccontextmanager
async def on_elasticsearch(url: str) -> AsyncIterator[Contest]:
    """Fill indices of their own; the plain query is a `match` on the names, with the standard analyser."""
    names = {index.alias: f"relevance-{uuid.uuid4().hex}" for index in INDICES}
    async with AsyncExitStack() as closing:
        client = await closing.enter_async_context(AsyncElasticsearch(url, request_timeout=60))
        for index in INDICES:
            await indices.create_beside(client, index, names[index.alias])
            closing.push_async_callback(client.indices.delete, index=names[index.alias])
        await _fill(ElasticsearchSink(url, INDICES, targets=names), elasticsearch.PROJECTIONS)
        products, unanalysed = names[PRODUCTS.alias], f"{names[PRODUCTS.alias]}-plain"
        await client.indices.refresh(index=products)
        await client.indices.create(index=unanalysed, mappings={"properties": {"name": {"type": "text"}}})
        closing.push_async_callback(client.indices.delete, index=unanalysed)
        await client.reindex(
            source={"index": products, "_source": ["name"]}, dest={"index": unanalysed}, refresh=True
        )
        search = TolerantSearch(ElasticsearchSearch(url, products))
        closing.push_async_callback(search.close)

        async def plain(text: str) -> list[str]:
            found = await client.search(index=unanalysed, query={"match": {"name": text}}, size=DEPTH)
            return [hit["_id"] for hit in found["hits"]["hits"]]

        yield Contest(_by(search), plain)


def table(measured: Mapping[str, Mapping[str, Figures]]) -> str:
    """Return the figures of several rankings as a Markdown table: nDCG@10 / recall@10, a line a kind."""
    kinds = next(iter(measured.values()))
    lines = [
        f"| queries | | {' | '.join(measured)} |",
        f"|---|---:|{'---|' * len(measured)}",
        *(
            f"| {kind} | {figures.queries} | "
            + " | ".join(f"{each[kind].ndcg:.2f} / {each[kind].recall:.2f}" for each in measured.values())
            + " |"
            for kind, figures in kinds.items()
        ),
    ]
    return "\n".join(lines)


async def _fill(sink: Sink[R], projections: Sequence[AnyProjection[R]]) -> None:
    every = batch(projections, records())
    try:
        for start in range(0, len(every), _BATCH):
            assert not await sink.write(every[start : start + _BATCH])
    finally:
        await sink.close()


def _by(search: SearchBackend) -> Ranked:
    async def ranked(text: str) -> list[str]:
        return [hit.sku for hit in (await search.search(Query(text=text, limit=DEPTH))).hits]

    return ranked
