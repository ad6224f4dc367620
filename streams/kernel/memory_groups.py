"""Consumer groups over the in-memory log: which offset each has come to, and what waits for it."""

from collections.abc import Iterable
from typing import NamedTuple

from streams.kernel.memory import MemoryLog, MemoryRecord


class Place(NamedTuple):
    """Where a group reads: one partition of one of its topics. A flow's group has the flow's name."""

    flow: str
    topic: str
    partition: int


class MemoryGroups:
    """Committed offsets, as the broker keeps them: the offset of the next record that a group wants."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._offsets: dict[Place, int] = {}
        self._rank: dict[Place, int] = {}
        self._readers: dict[tuple[str, int], list[Place]] = {}
        self._behind: set[Place] = set()
        self._noticed = 0

    def subscribe(self, group: str, topics: Iterable[str]) -> None:
        """Let a group read topics from their beginning; those that it reads already keep their offsets."""
        for topic in topics:
            for partition in range(self._log.partitions_of(topic)):
                place = Place(group, topic, partition)
                if place not in self._offsets:
                    self._rank[place] = len(self._rank)
                    self._readers.setdefault((topic, partition), []).append(place)
                    self.commit(place, 0)

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        """Return a group's offsets by topic and partition."""
        return {(at.topic, at.partition): offset for at, offset in self._offsets.items() if at.flow == group}

    def commit(self, place: Place, offset: int) -> None:
        """Set the next offset that a group wants, forwards or back."""
        self._offsets[place] = offset
        if offset < self._end(place):
            self._behind.add(place)
        else:
            self._behind.discard(place)

    def rewind(self, place: Place, offset: int) -> None:
        """Let a group read from `offset` again, if it had come further."""
        self.commit(place, min(self._offsets[place], offset))

    def waiting(self, groups: frozenset[str]) -> list[Place]:
        """Return where records wait for any of `groups`, in the order of subscription."""
        arrived = self._log.arrived
        for record in arrived[self._noticed :]:
            for place in self._readers.get((record.topic, record.partition), ()):
                if self._offsets[place] <= record.offset:
                    self._behind.add(place)
        self._noticed = len(arrived)
        return sorted((place for place in self._behind if place.flow in groups), key=self._rank.__getitem__)

    def records(self, place: Place, count: int | None = None) -> list[MemoryRecord]:
        """Return up to `count` waiting records of one place; the group stays where it is."""
        offset = self._offsets[place]
        held = self._log.records.get((place.topic, place.partition), [])
        return held[offset:] if count is None else held[offset : offset + count]

    def poll(self, group: str, topic: str) -> list[MemoryRecord]:
        """Return what a group has not read of a topic, in order of arrival, and commit it."""
        self.subscribe(group, (topic,))
        found: list[MemoryRecord] = []
        for partition in range(self._log.partitions_of(topic)):
            place = Place(group, topic, partition)
            found += self.records(place)
            self.commit(place, self._end(place))
        return sorted(found, key=lambda record: record.arrival)

    def _end(self, place: Place) -> int:
        return len(self._log.records.get((place.topic, place.partition), ()))
