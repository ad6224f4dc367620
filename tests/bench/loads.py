"""Which keys a load asks for: evenly, by Zipf's law, or one only. The same seed gives the same load."""

import itertools
import random
from collections.abc import Sequence


def even(keys: Sequence[str], count: int, seed: int) -> list[str]:
    """Return `count` keys, each as likely as any other."""
    return random.Random(seed).choices(keys, k=count)


def zipf(keys: Sequence[str], count: int, seed: int) -> list[str]:
    """Return `count` keys; the n-th is asked for 1/n as often as the first."""
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(keys) + 1)))
    return random.Random(seed).choices(keys, cum_weights=weights, k=count)


def hot(key: str, count: int) -> list[str]:
    """Return one key, `count` times: a flash sale."""
    return [key] * count
