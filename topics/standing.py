"""Partitions that stand still: something waits in them, and their consumer's position does not move."""

from collections.abc import Iterable
from typing import NamedTuple

from topics.lag import PartitionLag

_Place = tuple[str, str, int]


class Still(NamedTuple):
    """A partition that stands still before `offset` since `seconds`."""

    group: str
    topic: str
    partition: int
    offset: int
    lag: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.group} stands still at {self.topic}/{self.partition}/{self.offset} for "
            f"{self.seconds:.0f} s, {self.lag} records wait"
        )


class StandingStill:
    """Follows the positions of consumer groups; pure but for what it is told."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[_Place, tuple[int, float]] = {}
        self.found: list[Still] = []
        """What stands still by the last look, the longest first."""

    def look(self, now: float, partitions: Iterable[PartitionLag]) -> None:
        """Take where the groups stand at `now`, in seconds of a monotonic clock."""
        since: dict[_Place, tuple[int, float]] = {}
        found = []
        for each in partitions:
            if not each.lag:
                continue
            place = (each.group, each.topic, each.partition)
            committed, began = self._since.get(place, (each.committed, now))
            since[place] = (each.committed, began if committed == each.committed else now)
            still = now - since[place][1]
            if still >= self._seconds:
                found.append(Still(*place, each.committed, each.lag, still))
        self._since = since
        self.found = sorted(found, key=lambda still: -still.seconds)
