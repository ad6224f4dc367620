"""Work in lanes: in order within a key, side by side across keys, so many at once."""

import asyncio
from collections.abc import Awaitable, Callable

Work = Callable[[], Awaitable[None]]


class Lanes:
    """Runs work; at most `limit` pieces are accepted and unfinished at a time."""

    def __init__(self, limit: int) -> None:
        self._slots = asyncio.Semaphore(limit)
        self._last: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    def __len__(self) -> int:
        return len(self._tasks)

    async def submit(self, key: str, work: Work) -> None:
        """Accept work for a key, waiting for a free slot; raises what any earlier work raised."""
        await self._slots.acquire()
        self.check()
        task = asyncio.create_task(self._run(key, self._last.get(key), work))
        self._last[key] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def check(self) -> None:
        """Raise what any work has raised: it is not for the lanes to pass over."""
        if self._failure is not None:
            raise self._failure

    async def drain(self) -> None:
        """Wait until everything accepted is finished."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def cancel(self) -> None:
        """Give up everything unfinished."""
        for task in self._tasks:
            task.cancel()
        await self.drain()

    async def _run(self, key: str, before: asyncio.Task[None] | None, work: Work) -> None:
        try:
            if before is not None:
                await asyncio.wait({before})
            if self._failure is None:
                await work()
        except Exception as error:  # noqa: BLE001 - raised to the one who submits next
            self._failure = error
        finally:
            self._slots.release()
            if self._last.get(key) is asyncio.current_task():
                del self._last[key]
