"""How long to wait before a server that is down is asked again."""

import random

FIRST_S = 0.2
LONGEST_S = 10.0


def delay(attempt: int) -> float:
    """Return seconds to wait after failed attempt number `attempt` (from 1): doubling, up to ten seconds.

    A fifth of it is chance, so that many connectors do not come back at once.
    """
    full: float = min(LONGEST_S, FIRST_S * 2 ** min(attempt - 1, 16))
    return full * random.uniform(0.8, 1.0)  # noqa: S311 # jitter is no secret
