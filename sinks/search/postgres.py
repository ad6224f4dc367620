"""Search served by PostgreSQL: full text with stems and beginnings, trigrams and edit distance for typos."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from sinks.search import statements
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
from sinks.search.statements import Statement
from sinks.search.words import words

_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_TIMEOUT_S = 10.0
_CONNECTIONS = 4


class PostgresSearch:
    """A back end over the views' database; it opens its connections when it is first asked."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pool: asyncpg.Pool | None = None
        self._lock = asyncio.Lock()

    async def search(self, query: Query) -> Results:
        """Return a page of hits. Raises SearchUnavailableError where the database does not answer."""
        results = await self._search(query, tolerant=False)
        if results.total == 0 and words(query.text):
            return await self._search(query, tolerant=True)
        return results

    async def suggest(self, prefix: str, limit: int = 8) -> tuple[Suggestion, ...]:
        """Return suggestions. Raises SearchUnavailableError where the database does not answer."""
        typed = words(prefix)
        if not typed:
            return ()
        for tolerant in (False, True):
            (rows,) = await self._fetch(
                [statements.suggestions(typed, limit, tolerant=tolerant)], tolerant=tolerant
            )
            if rows:
                break
        return tuple(Suggestion(sku=row["sku"], name=row["name"]) for row in rows)

    async def close(self) -> None:
        """Disconnect."""
        if self._pool is not None:
            await self._pool.close()

    async def _search(self, query: Query, *, tolerant: bool) -> Results:
        hits, totals, categories, prices = await self._fetch(
            [
                statements.hits(query, tolerant=tolerant),
                statements.total(query, tolerant=tolerant),
                statements.categories(query, tolerant=tolerant),
                statements.prices(query, tolerant=tolerant),
            ],
            tolerant=tolerant,
        )
        return Results(
            hits=tuple(_hit(row) for row in hits),
            total=totals[0]["total"],
            facets=Facets(
                categories=tuple(CategoryCount(row["category"], row["count"]) for row in categories),
                prices=_prices({row["step"]: row["count"] for row in prices}),
            ),
        )

    async def _fetch(self, asked: Sequence[Statement], *, tolerant: bool) -> list[list[Mapping[str, Any]]]:
        try:
            pool = await self._connected()
            async with pool.acquire() as connection, connection.transaction(readonly=True):
                if tolerant:
                    await connection.execute(statements.LOWER_THRESHOLD)
                return [await connection.fetch(each.sql, *each.values) for each in asked]
        except _FAILURES as error:
            raise SearchUnavailableError(f"PostgreSQL does not answer: {error}") from error

    async def _connected(self) -> asyncpg.Pool:
        async with self._lock:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._dsn,
                    min_size=1,
                    max_size=_CONNECTIONS,
                    timeout=_TIMEOUT_S,
                    command_timeout=_TIMEOUT_S,
                )
            return self._pool


def _hit(row: Mapping[str, Any]) -> Hit:
    return Hit(
        sku=row["sku"],
        name=row["name"],
        description=row["description"],
        categories=tuple(row["categories"]),
        price=row["price"],
        currency=row["currency"],
        available=row["available"],
        highlight=marked(row["highlight"]),
    )


def _prices(counts: Mapping[int, int]) -> tuple[PriceCount, ...]:
    bounds = (*PRICE_STEPS, None)
    return tuple(
        PriceCount(price_from=low, price_below=high, count=counts.get(step, 0))
        for step, (low, high) in enumerate(zip(PRICE_STEPS, bounds[1:], strict=True), start=1)
    )
