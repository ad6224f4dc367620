"""Shrinking a failing run: delta debugging over its choices, until none can be left out.

Zeller and Hildebrandt's ddmin: leave out ever smaller pieces, keep what still fails in the same way. A choice
that is not possible without an earlier one is skipped by the replay, so every sublist is a schedule.
"""

import time
from collections.abc import Callable, Sequence

from tests.simulation.scene import Choice

Fails = Callable[[Sequence[Choice]], bool]


def shrunk(choices: Sequence[Choice], fails: Fails, budget_s: float = 60.0) -> tuple[Choice, ...]:
    """Return a short list of choices that still fails. Stops early, with what it has, when time is over."""
    deadline = time.monotonic() + budget_s
    kept = list(choices)
    size = max(1, len(kept) // 2)
    while True:
        start, left_out = 0, False
        while start < len(kept):
            if time.monotonic() > deadline:
                return tuple(kept)
            without = kept[:start] + kept[start + size :]
            if fails(without):
                kept, left_out = without, True
            else:
                start += size
        if size > 1:
            size //= 2
        elif not left_out:
            return tuple(kept)
