"""The Redis views: message -> value -> key."""

from fnmatch import fnmatchcase

from connectors.redis.value import Value
from connectors.runtime.projection import AnyProjection
from sinks.gathered import VIEWS, fed

GROUP = "ecommerce.sink.redis"

TTL_S = 30 * 24 * 60 * 60
"""What nothing happens to for thirty days, as long as a guest's cookie, leaves Redis."""

KEYS: tuple[str, ...] = tuple(key for each in VIEWS for key in each.keys)
"""The patterns that find the keys."""

PROJECTIONS: tuple[AnyProjection[Value], ...] = fed("Redis", (each.redis for each in VIEWS), KEYS)


def part(key: str) -> str | None:
    """Return the pattern that finds keys like this one; None where it is of no view."""
    return next((pattern for pattern in KEYS if fnmatchcase(key, pattern)), None)
