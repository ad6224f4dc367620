"""Warming a platform up: until what is repeated costs the broker no less than before.

Its compiler takes up to a core in the first minutes, and a millisecond of each checkout.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable

from deploy.embedded.kafka import TITLE
from tests.bench.platform import cpu_seconds
from topics.settings import Settings

MOST_ROUNDS = 12
CHEAPER = 0.95
ENOUGH_ROUNDS = 2


async def warm_up(settings: Settings, once: Callable[[], Awaitable[object]]) -> None:
    """Do it until it was no cheaper twice in a row, or often enough."""
    least, no_cheaper = math.inf, 0
    for _ in range(MOST_ROUNDS):
        before = await asyncio.to_thread(cpu_seconds, settings)
        await once()
        after = await asyncio.to_thread(cpu_seconds, settings)
        spent = after[TITLE] - before[TITLE]
        no_cheaper = no_cheaper + 1 if spent > CHEAPER * least else 0
        least = min(least, spent)
        if no_cheaper == ENOUGH_ROUNDS:
            return
