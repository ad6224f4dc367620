"""Search served by PostgreSQL: full text with stems and beginnings; typos are corrected before it is asked.

The words that names have are few and are kept in memory: to find there what a misspelt one meant takes a
fraction of a millisecond, and among the documents it took a quarter of a second.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import msgspec

from connectors.postgres.errors import FAILURES
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
from sinks.search.fresh import Fresh
from sinks.search.marks import marked
from sinks.search.statements import Statement
from sinks.search.vocabulary import LEARNT_S, VOCABULARY_S, Vocabulary
from sinks.search.words import words

_TIMEOUT_S = 10.0
_CONNECTIONS = 4


class _Row(Hit, frozen=True, kw_only=True):
    """A hit with its value of what the hits are sorted by."""

    sorted_by: float | int | str

    def hit(self) -> Hit:
        """Return the hit alone, its highlight as safe HTML."""
        values = {name: getattr(self, name) for name in Hit.__struct_fields__}
        return Hit(**{**values, "highlight": marked(self.highlight)})


_HITS = msgspec.json.Decoder(tuple[_Row, ...])
_CATEGORIES = msgspec.json.Decoder(tuple[CategoryCount, ...])
_COUNTS = msgspec.json.Decoder(dict[int, int])


class PostgresSearch:
    """An engine over the views' database; it opens its connections when it is first asked."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pool: asyncpg.Pool | None = None
        self._lock = asyncio.Lock()
        self._words = Fresh(self._vocabulary, VOCABULARY_S)

    async def search(self, query: Query, *, tolerant: bool) -> Results:
        """Return a page of hits. Raises SearchUnavailableError where the database does not answer."""
        known = await self._words.value()
        asked = statements.page(query, known.readings(words(query.text), tolerant=tolerant))
        (row,) = await self._fetch(asked)
        found = _HITS.decode(row["hits"])
        shown, more = found[: query.limit], len(found) > query.limit
        return Results(
            hits=tuple(each.hit() for each in shown),
            total=row["total"],
            facets=Facets(
                categories=_CATEGORIES.decode(row["categories"]),
                prices=_prices(_COUNTS.decode(row["prices"])),
            ),
            following=(shown[-1].sorted_by, shown[-1].sku) if more else None,
        )

    async def suggest(self, prefix: str, limit: int, *, tolerant: bool) -> tuple[Suggestion, ...]:
        """Return suggestions. Raises SearchUnavailableError where the database does not answer."""
        known = await self._words.value()
        asked = statements.suggestions(known.readings(words(prefix), tolerant=tolerant), limit)
        return tuple(Suggestion(sku=row["sku"], name=row["name"]) for row in await self._fetch(asked))

    async def learn(self) -> bool:
        """Learn the words of new products, unless that was done a second ago."""
        return await self._words.renew(LEARNT_S)

    async def close(self) -> None:
        """Disconnect."""
        await self._words.close()
        if self._pool is not None:
            await self._pool.close()

    async def _vocabulary(self) -> Vocabulary:
        rows = await self._fetch(Statement(statements.VOCABULARY, ()))
        return Vocabulary({row["word"]: row["ndoc"] for row in rows})

    async def _fetch(self, asked: Statement) -> list[Mapping[str, Any]]:
        try:
            pool = await self._connected()
            rows: list[Mapping[str, Any]] = await pool.fetch(asked.sql, *asked.values)
        except FAILURES as error:
            raise SearchUnavailableError(f"PostgreSQL does not answer: {error}") from error
        return rows

    async def _connected(self) -> asyncpg.Pool:
        async with self._lock:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._dsn,
                    min_size=1,
                    max_size=_CONNECTIONS,
                    timeout=_TIMEOUT_S,
                    command_timeout=_TIMEOUT_S,
                    # The index is in memory: to read all products instead is never the better plan.
                    server_settings={"random_page_cost": "1.1", "jit": "off"},
                )
            return self._pool


def _prices(counts: Mapping[int, int]) -> tuple[PriceCount, ...]:
    bounds = (*PRICE_STEPS, None)
    return tuple(
        PriceCount(price_from=low, price_below=high, count=counts.get(step, 0))
        for step, (low, high) in enumerate(zip(PRICE_STEPS, bounds[1:], strict=True), start=1)
    )
