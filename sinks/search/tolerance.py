"""When a misspelt word still counts: the rule that every back end follows, and the one place that applies it.

A search first takes the words as typed, the last one as a word or the beginning of one. Only where that finds
nothing it is repeated with tolerance, so that a correct search is not diluted by its neighbours.
"""

from typing import Protocol

import msgspec

from sinks.search.backend import NOTHING, Query, Results, Suggestion
from sinks.search.words import blank, words

UNTOUCHED = 1
"""Letters at a word's beginning that must be right."""

ONE_EDIT_FROM = 3
TWO_EDITS_FROM = 5


def edits(word: str) -> int:
    """Return how many letters may be wrong, missing, too many or swapped in a word."""
    if len(word) < ONE_EDIT_FROM:
        return 0
    return 1 if len(word) < TWO_EDITS_FROM else 2


class Engine(Protocol):
    """A server that searches; with `tolerant`, misspelt words match as well.

    It raises SearchUnavailableError where it does not answer.
    """

    async def search(self, query: Query, *, tolerant: bool) -> Results:
        """Return a page of hits."""
        ...

    async def suggest(self, prefix: str, limit: int, *, tolerant: bool) -> tuple[Suggestion, ...]:
        """Return suggestions."""
        ...

    async def learn(self) -> bool:
        """Learn the words of new products at once; False where that was done a moment ago."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class TolerantSearch:
    """The search of an engine: as typed first, tolerant only where that finds nothing."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def search(self, query: Query) -> Results:
        """Return a page of hits. Raises SearchUnavailableError where the server does not answer."""
        asked = words(query.text)
        if not asked and not blank(query.text):
            # A "%" or a picture asks for something, and no product has it.
            return NOTHING
        results = await self.engine.search(query, tolerant=False)
        if results.total == 0 and asked:
            near = await self.engine.search(query, tolerant=True)
            if near.total == 0 and await self.engine.learn():
                near = await self.engine.search(query, tolerant=True)
            return msgspec.structs.replace(near, approximate=near.total > 0)
        return results

    async def suggest(self, prefix: str, limit: int = 8) -> tuple[Suggestion, ...]:
        """Return suggestions. Raises SearchUnavailableError where the server does not answer."""
        if not words(prefix):
            return ()
        found = await self.engine.suggest(prefix, limit, tolerant=False)
        return found or await self.engine.suggest(prefix, limit, tolerant=True)

    async def close(self) -> None:
        """Disconnect."""
        await self.engine.close()
