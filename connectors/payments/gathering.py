"""Asking together: what comes while a request is under way goes with the next one.

Whoever comes alone is served at once. Under load requests begin no closer than so far apart, so each carries
more.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Gathering(Generic[Asked, Answer]):
    """Hands `ask` up to `most` at a time, and each its own answer, in the order that they came."""

    def __init__(
        self, ask: Callable[[list[Asked]], Awaitable[list[Answer]]], most: int, apart_s: float
    ) -> None:
        self._ask = ask
        self._most = most
        self._apart_s = apart_s
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._asking: asyncio.Task[None] | None = None
        self._began = float("-inf")

    async def answer(self, asked: Asked) -> Answer:
        """Ask with whoever else waits; raises what `ask` raises, to all of one request."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._asking is None:
            self._asking = asyncio.create_task(self._run())
        return await future

    async def close(self) -> None:
        """Give up what is under way; whoever waits is cancelled."""
        for _, future in self._waiting:
            future.cancel()
        self._waiting = []
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})

    async def _run(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(self._began + self._apart_s - time.monotonic())
                together, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                self._began = time.monotonic()
                await self._serve(together)
        finally:
            self._asking = None

    async def _serve(self, together: list[tuple[Asked, "asyncio.Future[Answer]"]]) -> None:
        futures = [future for _, future in together]
        try:
            answers = await self._ask([asked for asked, _ in together])
            for future, answer in zip(futures, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
        except Exception as error:  # noqa: BLE001 - raised where it was asked
            for future in futures:
                if not future.done():
                    future.set_exception(error)
        finally:
            # Only what was given up has no outcome by now.
            for future in futures:
                future.cancel()
