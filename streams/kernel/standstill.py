"""Whether a worker stands still: what it sees of itself, what the broker holds, and a clock. No I/O."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

SourcePartition = tuple[str, int]
"""A source topic and a partition of it."""

Ends = Callable[[], Mapping[SourcePartition, int] | None]
"""Asks the broker for the offset after the last record of each source partition; None: no answer."""

EVENT_LOOP: Final = "the event loop is blocked"
FLOW: Final = "the flow is off"
READING: Final = "records are there and none is read"
APPLYING: Final = "records were read and none is applied"


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What the worker's own loop sees; a loop that is blocked makes no new one.

    `read` is the offset up to which each source partition was fetched (exclusive), `backlog` how many records
    wait to be applied, `restored` changes with every rebalance and every record restored, `answered` with
    everything that is applied or that the broker has answered.
    """

    flowing: bool
    read: Mapping[SourcePartition, int]
    backlog: int
    restored: Hashable
    answered: Hashable


class Still(NamedTuple):
    """What stands still, and for how long (s)."""

    what: str
    seconds: float


class Standstill:
    """Follows a worker's looks, on the caller's clock (s).

    Nothing stands still while the broker does not answer: a new worker would wait as this one does. Looks
    that are further apart than half of `bound_s` begin anew: the process itself had been stopped.
    """

    def __init__(self, bound_s: float) -> None:
        self._bound_s = bound_s
        self._looked_at: float | None = None
        self._look: Look | None = None
        self._beat_at = 0.0
        self._moved: Hashable = None
        self._moved_at = 0.0

    def judge(self, now: float, look: Look, ends: Ends) -> Still | None:
        """Return what has stood still since an earlier look, or None. The broker is asked only in doubt."""
        slept = self._looked_at is None or now - self._looked_at > self._bound_s / 2
        self._looked_at = now
        if slept:
            self._look, self._beat_at = look, now
            self._moved, self._moved_at = _moved(look), now
            return None
        if look is self._look:
            return Still(EVENT_LOOP, now - self._beat_at)
        self._look, self._beat_at = look, now
        moved = _moved(look)
        what = None if moved != self._moved else _due(look, ends())
        self._moved = moved
        if what is None:
            self._moved_at = now
            return None
        return Still(what, now - self._moved_at)


def _moved(look: Look) -> Hashable:
    if not look.flowing:
        return (False, look.restored)
    return (True, tuple(look.read.items()), look.backlog, look.restored, look.answered)


def _due(look: Look, ends: Mapping[SourcePartition, int] | None) -> str | None:
    """Name what should be moving, if anything should."""
    if ends is None:
        return None
    if not look.flowing:
        return FLOW
    if look.backlog:
        return APPLYING
    return READING if any(offset < ends.get(place, 0) for place, offset in look.read.items()) else None
