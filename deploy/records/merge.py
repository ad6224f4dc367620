"""Merging partitions by time: a record goes out once nothing earlier can come from another partition."""

import heapq
from collections import defaultdict, deque
from collections.abc import Iterable

from deploy.records.record import Record

Place = tuple[str, int]


class Merge:
    """Holds records of `places` (topic, partition) until their turn. Ties go by topic, partition, offset."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._open = set(places)
        self._unknown = set(self._open)  # open, and nothing held: nobody knows yet what comes next
        self._held: dict[Place, deque[Record]] = defaultdict(deque)
        self._heads: list[tuple[int, str, int, int]] = []

    @property
    def done(self) -> bool:
        """Tell whether every place is closed and every record has gone out."""
        return not self._open and not self._heads

    def held(self, place: Place) -> int:
        """Return how many records of a place are waiting."""
        return len(self._held[place])

    def add(self, record: Record) -> None:
        """Take the next record of its partition."""
        place = (record.topic, record.partition)
        self._held[place].append(record)
        self._unknown.discard(place)
        if len(self._held[place]) == 1:
            self._push(record)

    def close(self, place: Place) -> None:
        """Note that no more records of a place come."""
        self._open.discard(place)
        self._unknown.discard(place)

    def pop(self) -> Record | None:
        """Return the earliest record, or None while another partition may still have an earlier one."""
        if self._unknown or not self._heads:
            return None
        _, topic, partition, _ = heapq.heappop(self._heads)
        place = (topic, partition)
        record = self._held[place].popleft()
        if self._held[place]:
            self._push(self._held[place][0])
        elif place in self._open:
            self._unknown.add(place)
        return record

    def _push(self, record: Record) -> None:
        heapq.heappush(self._heads, (record.timestamp, record.topic, record.partition, record.offset))
