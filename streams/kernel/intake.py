"""What a lane has taken of its sources: each record once and in order, by whichever way it comes.

A record comes fetched, or handed over by the lane of this worker that has published it. What is handed over
is taken only where it is the very next one: whether another producer's records lie between, the broker's
answer tells by its offset. Where they do, the fetch brings all of them in their order. No I/O.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from streams.kernel.ports import Headers, Record

R = TypeVar("R", bound=Record)


class Handed(NamedTuple):
    """A record of a source topic that was not fetched: what was sent, and where the broker has put it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Intake:
    """Knows, per source topic of one partition, which record comes next.

    It belongs to one lane and lives no longer: what the lane before had taken, it may not have applied.
    """

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def begin(self, topic: str, offset: int) -> None:
        """Be told from where a topic is fetched, unless something of it was taken already."""
        self._next.setdefault(topic, offset)

    def fetched(self, records: Sequence[R]) -> Sequence[R]:
        """Return those of one topic's records, in their order, that were not taken before."""
        if not records:
            return records
        topic = records[0].topic
        following = self._next.get(topic, 0)
        if records[0].offset < following:
            records = [record for record in records if record.offset >= following]
            if not records:
                return records
        self._next[topic] = records[-1].offset + 1
        return records

    def has(self, topic: str, first: int, count: int) -> bool:
        """Tell whether records from offset `first` on were taken before: fetches may be ahead of answers."""
        return first >= 0 and first + count <= self._next.get(topic, 0)

    def handed(self, topic: str, first: int, count: int) -> bool:
        """Tell whether records from offset `first` on follow at once on what was taken; then they are.

        Nothing follows on what is not known: where it was not told where the fetch begins.
        """
        if self._next.get(topic) != first:
            return False
        self._next[topic] = first + count
        return True
