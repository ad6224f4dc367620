"""Waiting for a condition, with a deadline: what tests do instead of sleeping."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE_S = 0.05


def eventually(read: Callable[[], T], accept: Callable[[T], bool] = bool, seconds: float = 30) -> T:
    """Read until the value is accepted, and return it.

    Raises AssertionError at the deadline, with the last value.
    """
    deadline = time.monotonic() + seconds
    while not accept(value := read()):
        assert time.monotonic() < deadline, f"not within {seconds} s; the last value was {value!r}"
        time.sleep(PAUSE_S)
    return value


async def eventually_async(
    read: Callable[[], Awaitable[T]], accept: Callable[[T], bool] = bool, seconds: float = 30
) -> T:
    """Do the same with an awaitable."""
    deadline = time.monotonic() + seconds
    while not accept(value := await read()):
        assert time.monotonic() < deadline, f"not within {seconds} s; the last value was {value!r}"
        await asyncio.sleep(PAUSE_S)
    return value


async def eventually_seen(
    read: Callable[[], T], accept: Callable[[T], bool] = bool, seconds: float = 30
) -> T:
    """Do the same with what can be read at once, while the event loop goes on."""

    async def reading() -> T:
        return read()

    return await eventually_async(reading, accept, seconds)
