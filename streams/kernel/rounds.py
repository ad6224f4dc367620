"""When to fetch next: when what was fetched is worked off, so that what comes meanwhile is one batch.

A batch of one costs nearly what a batch of ten costs. An idle worker fetches at once: nothing lingers.
"""

import asyncio

MOST_S = 0.01
"""The longest that work holds back a fetch: what follows a long batch is there when it is done."""


class Rounds:
    """What is at work, and the end of it. Whoever works is told apart by identity."""

    def __init__(self) -> None:
        self._working: set[int] = set()
        self._waiter: asyncio.Future[None] | None = None

    def begin(self, work: object) -> None:
        """Note work that has begun."""
        self._working.add(id(work))

    def end(self, work: object) -> None:
        """Note work that has ended, or that will not be done."""
        self._working.discard(id(work))
        if not self._working:
            self._wake()

    def forget(self) -> None:
        """Note that nothing of it will be done: the partitions have another owner."""
        self._working.clear()
        self._wake()

    async def over(self) -> None:
        """Wait until nothing is at work, `MOST_S` at the longest."""
        if not self._working:
            return
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        alarm = loop.call_later(MOST_S, self._wake)
        try:
            await self._waiter
        finally:
            alarm.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
