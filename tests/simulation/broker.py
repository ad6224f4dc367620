"""The broker in memory: logs, the offsets of groups, and what each consumer has yet to read."""

from collections.abc import Callable, Iterable
from zlib import crc32

from confluent_kafka import murmur2

from connectors.runtime.record import Record
from streams.kernel.ports import Output

Place = tuple[str, int]
"""A topic and a partition of it."""


class Broker:
    """All topics. `single` are those of one partition; `watch` is told of every record as it arrives."""

    def __init__(self, partitions: int, single: frozenset[str], watch: Callable[[Record], None]) -> None:
        self.partitions = partitions
        self.committed: dict[tuple[str, str, int], int] = {}
        self.appended = 0
        # What was appended, in its order; and what the logs hold, in whatever order it came.
        self.digest = 0
        self.contents = 0
        self._single = single
        self._watch = watch
        self._logs: dict[Place, list[Record]] = {}
        self._inboxes: dict[Place, list[Inbox]] = {}
        self._partition_of: dict[bytes, int] = {}
        self._made: dict[str, int] = {}

    def partition_of(self, topic: str, key: bytes | None) -> int:
        """Return the partition of a key, by the platform's rule."""
        if key is None or topic in self._single:
            return 0
        known = self._partition_of.get(key)
        if known is None:
            known = self._partition_of[key] = murmur2(key, self.partitions)
        return known

    def places(self, topics: Iterable[str]) -> list[Place]:
        """Return all partitions of the topics."""
        return [
            (topic, partition)
            for topic in topics
            for partition in range(1 if topic in self._single else self.partitions)
        ]

    def append(self, output: Output, timestamp: int) -> Record:
        """Append a record to its topic."""
        place = (output.topic, self.partition_of(output.topic, output.key))
        log = self.log(place)
        record = Record(*place, len(log), timestamp, output.key, output.value, output.headers)
        log.append(record)
        self.appended += 1
        topic, value = crc32(output.topic.encode()), crc32(output.value or b"")
        self.digest = hash((self.digest, topic, value))
        self.contents ^= hash((topic, record.partition, record.offset, value))
        for inbox in self._inboxes.get(place, ()):
            inbox.waiting[place] = None
        self._watch(record)
        return record

    def log(self, place: Place) -> list[Record]:
        """Return the records of a partition."""
        found = self._logs.get(place)
        if found is None:
            found = self._logs[place] = []
        return found

    def logs(self) -> dict[Place, list[Record]]:
        """Return all partitions that hold anything."""
        return self._logs

    def commit(self, group: str, place: Place, offset: int, topic_id: str | None = None) -> None:
        """Note how far a group is (exclusive); of a topic that is there no more, nothing."""
        if topic_id in (None, self.id_of(place[0])):
            self.committed[group, *place] = offset

    def id_of(self, topic: str) -> str:
        """Return which topic has the name now."""
        return f"{topic}#{self._made.get(topic, 0)}"

    def make_anew(self, topic: str) -> None:
        """Delete a topic and create it again. Whoever reads the old one reads none of it any more."""
        self._made[topic] = self._made.get(topic, 0) + 1
        for place in self.places([topic]):
            self._logs.pop(place, None)
            for inbox in self._inboxes.pop(place, ()):
                inbox.lose(place)
        self.committed = {at: offset for at, offset in self.committed.items() if at[1] != topic}
        self.contents = hash((self.contents, self.id_of(topic)))

    def subscribe(self, inbox: "Inbox") -> None:
        """Tell the inbox of new records."""
        for place in inbox.cursors:
            self._inboxes.setdefault(place, []).append(inbox)

    def unsubscribe(self, inbox: "Inbox") -> None:
        """Tell the inbox of nothing any more."""
        for place in inbox.cursors:
            self._inboxes[place].remove(inbox)


class Inbox:
    """What one consumer has yet to fetch of the partitions that it was given.

    It begins where its group has committed, as a consumer does that was assigned them.
    """

    def __init__(self, broker: Broker, group: str, places: Iterable[Place]) -> None:
        self._broker = broker
        self.cursors = {place: broker.committed.get((group, *place), 0) for place in places}
        self.waiting: dict[Place, None] = {
            place: None for place, cursor in self.cursors.items() if cursor < len(broker.log(place))
        }
        broker.subscribe(self)

    def fetch(self, place: Place, count: int) -> list[Record]:
        """Return up to `count` records of a partition, and go on behind them."""
        log, cursor = self._broker.log(place), self.cursors[place]
        records = log[cursor : cursor + count]
        self.cursors[place] = cursor + len(records)
        if cursor + count >= len(log):
            self.waiting.pop(place, None)
        return records

    def skip(self, place: Place, offset: int) -> None:
        """Go on at an offset, if that is ahead and there is such a one."""
        end = len(self._broker.log(place))
        self.cursors[place] = max(min(offset, end), self.cursors[place])
        if self.cursors[place] >= end:
            self.waiting.pop(place, None)

    def lose(self, place: Place) -> None:
        """Fetch nothing of a partition any more: what has its name now is another."""
        del self.cursors[place]
        self.waiting.pop(place, None)

    def oldest(self) -> int | None:
        """Return the time (ms) of the oldest record that waits."""
        return min(
            (self._broker.log(place)[self.cursors[place]].timestamp for place in self.waiting), default=None
        )

    def close(self) -> None:
        """Read no more."""
        self._broker.unsubscribe(self)
