"""Search that goes on while its engine is away: what Elasticsearch does not answer in time, PostgreSQL does.

Both pass the same behavioural suite and rank alike, so a shopper sees no difference but in time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from prometheus_client import Counter
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from sinks.search.backend import Query, Results, SearchBackend, SearchUnavailableError, Suggestion

T = TypeVar("T")

_log = structlog.get_logger()

PATIENCE_S = 2.0
"""How long a shopper waits for the first engine: many times what a search takes on a busy machine."""
AWAY_S = 5.0
"""How long the first engine is not asked after it did not answer; then one search tries it."""
_CIRCUIT = "search"

FELL_BACK = Counter("api_search_fallback_total", "Searches that PostgreSQL answered for Elasticsearch.")


class FallbackSearch:
    """A search over `first`, and over `second` while that is away."""

    def __init__(
        self,
        first: SearchBackend,
        second: SearchBackend,
        patience_s: float = PATIENCE_S,
        away_s: float = AWAY_S,
    ) -> None:
        self.first = first
        self.second = second
        self._patience_s = patience_s
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=1,
            default_ttl=away_s,
            # A shopper who leaves says nothing about the engine.
            exclude=[asyncio.CancelledError],
        )

    async def search(self, query: Query) -> Results:
        """Return a page of hits. Raises SearchUnavailableError where neither answers."""
        return await self._asked(lambda backend: backend.search(query))

    async def suggest(self, prefix: str, limit: int = 8) -> tuple[Suggestion, ...]:
        """Return suggestions. Raises SearchUnavailableError where neither answers."""
        return await self._asked(lambda backend: backend.suggest(prefix, limit))

    async def close(self) -> None:
        """Disconnect from both."""
        await asyncio.gather(self.first.close(), self.second.close())

    async def _asked(self, ask: Callable[[SearchBackend], Awaitable[T]]) -> T:
        try:
            async with await self._breakers.get_breaker(_CIRCUIT), asyncio.timeout(self._patience_s):
                return await ask(self.first)
        except OpenedState as opened:
            # One exception object serves every call while the circuit is open: it must not keep their frames.
            opened.with_traceback(None)
        except (SearchUnavailableError, TimeoutError) as error:
            _log.warning("search_falls_back", error=str(error) or f"no answer in {self._patience_s:g} s")
        FELL_BACK.inc()
        return await ask(self.second)
