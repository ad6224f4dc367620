"""A value that is kept, and made again in the background once it is old: only the first one waits for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Fresh(Generic[T]):
    """What `make` returns, made again by the first question after `seconds`.

    Where a later making fails, the value goes on being used, and the next question tries again.
    """

    def __init__(self, make: Callable[[], Awaitable[T]], seconds: float) -> None:
        self._make = make
        self._seconds = seconds
        self._made: tuple[T, float] | None = None
        self._making: asyncio.Task[None] | None = None
        self._one = asyncio.Lock()

    async def value(self) -> T:
        """Return the value; raises what `make` raises where there is none yet."""
        if self._made is None:
            await self._remake()
            assert self._made is not None
        elif time.monotonic() - self._made[1] > self._seconds and (
            self._making is None or self._making.done()
        ):
            self._making = asyncio.create_task(self._remake_quietly())
        return self._made[0]

    async def renew(self, seconds: float) -> bool:
        """Make the value anew where it is older, and tell whether it was; raises what `make` raises."""
        asked = time.monotonic()
        async with self._one:
            # Whoever waited here has what was made meanwhile.
            if self._made is not None and asked - self._made[1] <= seconds:
                return self._made[1] > asked
            await self._remake()
        return True

    async def close(self) -> None:
        """Give up what is being made."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)

    async def _remake(self) -> None:
        self._made = (await self._make(), time.monotonic())

    async def _remake_quietly(self) -> None:
        try:
            await self._remake()
        except Exception as error:  # noqa: BLE001 (the old value serves until the next question)
            log.warning("fresh.failed", error=repr(error))
