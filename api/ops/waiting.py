"""How many dead letters wait, apart from the rows of files that were refused on purpose."""

import asyncio
import time
from collections.abc import Iterable, Mapping

from api.ops.desk import Desk

WAITING = "waiting"
IMPORT = "import"
_UNPUBLISHABLE = "unpublishable"
# Whoever looks in between is told what was found: each look reads all letters.
_FRESH_SECONDS = 10.0

Counts = dict[str, dict[str, int]]
"""Letters by domain and reason."""


def refused_row(domain: str, reason: str) -> bool:
    """Say whether a letter is a row that an importer refused on purpose: nothing of the platform failed.

    The outbox puts there, too, what no other domain would have.
    """
    return domain == IMPORT and reason != _UNPUBLISHABLE


def apart(counts: Mapping[str, Mapping[str, int]]) -> tuple[Counts, Counts]:
    """Return the counts of what failed, and those of refused rows."""
    failed: Counts = {}
    rows: Counts = {}
    for domain, reasons in counts.items():
        for reason, letters in reasons.items():
            kind = rows if refused_row(domain, reason) else failed
            kind.setdefault(domain, {})[reason] = letters
    return failed, rows


def total(counts: Mapping[str, Mapping[str, int]]) -> int:
    """Return how many letters there are of all domains and reasons."""
    return sum(sum(reasons.values()) for reasons in counts.values())


class Waiting:
    """Counts what waits at a desk; what was sent again or discarded is over."""

    def __init__(self) -> None:
        self._looking = asyncio.Lock()
        self._seen: Counts | None = None
        self._seen_at = 0.0

    async def counts(self, desk: Desk) -> Counts:
        """Return the counts, at most ten seconds old; raises a 503 Problem where no broker answers."""
        async with self._looking:
            if self._seen is None or time.monotonic() - self._seen_at > _FRESH_SECONDS:
                found = await asyncio.to_thread(desk.letters, None, None)
                self._seen = _counted((one.domain, one.reason) for one in found if one.standing == WAITING)
                self._seen_at = time.monotonic()
            return self._seen


def _counted(letters: Iterable[tuple[str, str]]) -> Counts:
    counts: Counts = {}
    for domain, reason in sorted(letters):
        of_domain = counts.setdefault(domain, {})
        of_domain[reason] = of_domain.get(reason, 0) + 1
    return counts
