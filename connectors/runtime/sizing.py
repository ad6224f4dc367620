"""How many records a batch may hold, learnt from how fast the view's server takes them."""

from dataclasses import dataclass

_FIRST = 1_000
_LEAST = 50


@dataclass(frozen=True)
class Limits:
    """How much one batch may hold, and how long a poll waits where nothing is there.

    A batch is whatever is there when the one before it is done: one record when idle, many under load. Its
    size follows the server's speed: as many records as it takes in about `write_s` seconds, at most `records`
    and at most `size` bytes. `linger_s` makes a batch wait that long for more: for targets to which each
    write is dear. Commits come no closer than `commits_apart_s`, and take no longer than `commit_s`.
    """

    records: int = 10_000
    size: int = 16 * 1024 * 1024
    write_s: float = 0.5
    linger_s: float = 0.0
    poll_s: float = 0.5
    commit_s: float = 30.0
    commits_apart_s: float = 0.25


class Sizing:
    """The number of records that the next batch may hold."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.records = min(_FIRST, limits.records)

    def wrote(self, records: int, seconds: float) -> None:
        """Learn from a write: at most twice as many, at least half as many the next time."""
        if records < self.records // 2:
            return  # A small batch tells of a round trip, not of the server's speed.
        wanted = int(records / max(seconds, 1e-6) * self._limits.write_s)
        self._set(min(max(wanted, self.records // 2), self.records * 2))

    def failed(self) -> None:
        """Learn from a write that the server did not end: half as many the next time."""
        self._set(self.records // 2)

    def _set(self, records: int) -> None:
        self.records = max(min(_LEAST, self._limits.records), min(records, self._limits.records))
