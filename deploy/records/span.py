"""A stretch of one partition, and how a position becomes one."""

from dataclasses import dataclass

from deploy.records.position import AtOffset, AtTime, Beginning, End, Position


@dataclass(frozen=True)
class Span:
    """Offsets from `start` (included) to `end` (not included) of a partition."""

    topic: str
    partition: int
    start: int
    end: int

    @property
    def length(self) -> int:
        """Return how many offsets it covers; compaction may have left fewer records."""
        return max(0, self.end - self.start)


def offset_of(position: Position, low: int, high: int, found: int | None) -> int:
    """Return the position's offset in a partition that holds [low, high).

    `found` is the broker's answer for a time: None where no record is that late.
    """
    match position:
        case Beginning():
            return low
        case End():
            return high
        case AtOffset(offset) if offset < 0:
            return max(low, high + offset)
        case AtOffset(offset):
            return min(max(low, offset), high)
        case AtTime():
            return high if found is None else min(max(low, found), high)
