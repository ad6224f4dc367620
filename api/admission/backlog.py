"""How long a new record will lie in a topic: what lies there already, by how fast it is read. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from topics.lag import PartitionLag

ASSUMED_RATE = 200.0
"""Records/s of a topic whose reader has not shown yet how fast it is."""
FORGETTING = 0.98
"""Per look under a backlog: a reader that has become slower is believed after half a minute."""

_Place = tuple[str, str]


@dataclass
class _Read:
    at: float
    committed: int
    rate: float = ASSUMED_RATE


class Backlog:
    """Follows how far each consumer group has read each topic."""

    def __init__(self) -> None:
        self._read: dict[_Place, _Read] = {}
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
            self._note(place, now, position, lags[place])
        self.records = sum(lags.values())
        self.seconds = max((lag / self._read[place].rate for place, lag in lags.items()), default=0.0)

    def forget(self) -> None:
        """Know nothing of what lies there: nobody could look."""
        self.records, self.seconds = 0, 0.0

    def _note(self, place: _Place, now: float, committed: int, lag: int) -> None:
        read = self._read.get(place)
        if read is None:
            self._read[place] = _Read(now, committed)
            return
        # Positions are committed about once a second: between two commits nothing is learned.
        if committed > read.committed and now > read.at:
            present = (committed - read.committed) / (now - read.at)
            read.rate = max(present, read.rate * FORGETTING if lag else read.rate, ASSUMED_RATE)
            read.at, read.committed = now, committed
        elif not lag:
            read.at, read.committed = now, committed
