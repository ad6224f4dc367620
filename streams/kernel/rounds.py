"""When to fetch next: when what was fetched is worked off, so that what comes meanwhile is one batch.

A batch of one costs nearly what a batch of ten costs. An idle worker fetches at once: nothing lingers.
"""

import asyncio
from contextlib import suppress

MOST_S = 0.01
"""The longest that work holds back a fetch: what follows a long batch is there when it is done."""


class Rounds:
    """What is at work, and the end of it. Whoever works is told apart by identity."""

    def __init__(self) -> None:
        self._working: set[int] = set()
        self._over = asyncio.Event()
        self._over.set()

    def begin(self, work: object) -> None:
        """Note work that has begun."""
        self._working.add(id(work))
        self._over.clear()

    def end(self, work: object) -> None:
        """Note work that has ended, or that will not be done."""
        self._working.discard(id(work))
        if not self._working:
            self._over.set()

    def forget(self) -> None:
        """Note that nothing of it will be done: the partitions have another owner."""
        self._working.clear()
        self._over.set()

    async def over(self) -> None:
        """Wait until nothing is at work, `MOST_S` at the longest; each broker's fetch waits for itself."""
        if self._over.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(MOST_S):
                await self._over.wait()
