"""How long a new record will lie in a topic: what lies there already, by how fast it is read. Pure.

A reader shows how fast it is only where it has enough to read: between two commits, more lay there all the
time than it took. What it takes otherwise is what is asked of it, and less than it could take.
"""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from topics.lag import PartitionLag

ASSUMED_RATE = 200.0
"""Records/s of a topic whose reader has not shown yet how fast it is."""
FORGETTING = 0.98
"""Per commit: what a reader once took says less and less."""
BELIEVED = 3
"""So many commits in a row with enough to read say how fast it is; one may have met a pause."""
PAUSE_S = 3.0
"""Commits are a second apart. After a longer silence nobody was reading, and the rate says nothing."""

_Place = tuple[str, str]


@dataclass
class _Reader:
    at: float
    committed: int
    lag: int
    taken: float = ASSUMED_RATE
    busy: deque[float] = field(default_factory=lambda: deque(maxlen=BELIEVED))

    @property
    def rate(self) -> float:
        """Return how fast it reads, in records/s."""
        return max(self.busy) if len(self.busy) == BELIEVED else max(self.taken, ASSUMED_RATE)

    def look(self, now: float, committed: int, lag: int) -> None:
        """Take where it stands now."""
        if committed == self.committed and lag:
            # Between two commits nothing is learned.
            return
        read, seconds = committed - self.committed, now - self.at
        if read > 0 and 0 < seconds <= PAUSE_S:
            present = read / seconds
            self.taken = max(present, self.taken * FORGETTING)
            if min(self.lag, lag) >= read:
                self.busy.append(present)
            else:
                self.busy.clear()
        self.at, self.committed, self.lag = now, committed, lag


class Backlog:
    """Follows how far each consumer group has read each topic."""

    def __init__(self) -> None:
        self._readers: dict[_Place, _Reader] = {}
        self.records = 0
        self.seconds = 0.0

    def look(self, now: float, partitions: Iterable[PartitionLag]) -> None:
        """Take a look at the groups' positions at a time in seconds."""
        lags: dict[_Place, int] = defaultdict(int)
        committed: dict[_Place, int] = defaultdict(int)
        for one in partitions:
            lags[one.group, one.topic] += one.lag
            committed[one.group, one.topic] += one.committed
        for place, position in committed.items():
            reader = self._readers.setdefault(place, _Reader(now, position, lags[place]))
            reader.look(now, position, lags[place])
        self.records = sum(lags.values())
        self.seconds = max((lag / self._readers[place].rate for place, lag in lags.items()), default=0.0)

    def forget(self) -> None:
        """Know nothing of what lies there: nobody could look."""
        self.records, self.seconds = 0, 0.0
