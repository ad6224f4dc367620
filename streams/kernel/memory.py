"""Kafka and RocksDB in a dictionary: the ports for tests, simulation and replay, with a point to crash at."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from confluent_kafka import murmur2

from streams.kernel.errors import OwnershipLostError
from streams.kernel.ports import Entry, Headers, Output


class Step(StrEnum):
    """Where in the unit of work a worker may die."""

    BEFORE_CHANGELOG = "before-changelog"
    AFTER_CHANGELOG = "after-changelog"
    AMID_OUTPUTS = "amid-outputs"
    AFTER_OUTPUTS = "after-outputs"
    AFTER_STORE = "after-store"


class CrashError(BaseException):
    """The worker is gone; no handler of errors may catch this."""


class CrashPoint:
    """Raises CrashError at one step of the next unit of work, once armed."""

    def __init__(self) -> None:
        self._at: Step | None = None

    def arm(self, step: Step) -> None:
        """Crash when `step` is reached."""
        self._at = step

    def reached(self, step: Step) -> None:
        """Crash here, if this is the armed step."""
        if self._at is step:
            self._at = None
            raise CrashError(step)


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """A record of the in-memory log."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int
    arrival: int


@dataclass
class MemoryLog:
    """All topics: one list per topic and partition, and the order in which records arrived overall."""

    partitions: int
    single: frozenset[str] = frozenset()
    records: dict[tuple[str, int], list[MemoryRecord]] = field(default_factory=lambda: defaultdict(list))
    arrived: list[MemoryRecord] = field(default_factory=list)

    def partitions_of(self, topic: str) -> int:
        """Return how many partitions a topic has."""
        return 1 if topic in self.single else self.partitions

    def partition_of(self, topic: str, key: bytes | None) -> int:
        """Return the partition of a key, by the platform's rule (murmur2)."""
        return 0 if key is None else murmur2(key, self.partitions_of(topic))

    def append(self, output: Output, timestamp: int) -> MemoryRecord:
        """Append a record to its topic and return it with its place."""
        partition = self.partition_of(output.topic, output.key)
        log = self.records[output.topic, partition]
        record = MemoryRecord(
            output.topic,
            partition,
            len(log),
            output.key,
            output.value,
            output.headers,
            timestamp,
            len(self.arrived),
        )
        log.append(record)
        self.arrived.append(record)
        return record


class MemoryStore:
    """A store that outlives its worker, as a disk does, until it is wiped."""

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}
        self.offset = -1

    def get(self, key: bytes) -> bytes | None:
        """Return the stored bytes, or None."""
        return self.entries.get(key)

    def write(self, entries: Sequence[Entry], offset: int | None) -> None:
        """Write all entries and the changelog offset, at once."""
        for key, value in entries:
            if value is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = value
        if offset is not None:
            self.offset = offset

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over all keys and values."""
        yield from list(self.entries.items())


class CrashingStore(MemoryStore):
    """A store whose worker may crash before or after it writes."""

    def __init__(self, crash: CrashPoint) -> None:
        super().__init__()
        self._crash = crash

    def write(self, entries: Sequence[Entry], offset: int | None) -> None:
        """Write as ever, between two points at which the worker may crash."""
        self._crash.reached(Step.AFTER_OUTPUTS)
        super().write(entries, offset)
        self._crash.reached(Step.AFTER_STORE)

    def restore(self, entries: Sequence[Entry], offset: int | None) -> None:
        """Write without a crash: what recovery does."""
        super().write(entries, offset)


class MemoryChangelog:
    """A changelog partition; the newest writer fences the ones before it."""

    def __init__(self, crash: CrashPoint) -> None:
        self._crash = crash
        self.batches: list[tuple[int, list[Entry]]] = []
        self.end = 0
        self.epoch = 0

    def writer(self) -> "MemoryChangelogWriter":
        """Return a new owner's way in."""
        self.epoch += 1
        return MemoryChangelogWriter(self, self.epoch)

    def append(self, epoch: int, entries: Sequence[Entry]) -> int:
        """Append a batch for the owner of `epoch`; raises OwnershipLostError for an older one."""
        if epoch != self.epoch:
            raise OwnershipLostError(f"epoch {epoch}, but the owner's is {self.epoch}")
        self._crash.reached(Step.BEFORE_CHANGELOG)
        self.end += len(entries)
        self.batches.append((self.end - 1, list(entries)))
        self._crash.reached(Step.AFTER_CHANGELOG)
        return self.end - 1

    def recover(self, store: CrashingStore) -> None:
        """Bring a store up to the end of the changelog."""
        for offset, entries in self.batches:
            if offset > store.offset:
                store.restore(entries, offset)


@dataclass(frozen=True)
class MemoryChangelogWriter:
    """One owner's way into a changelog partition."""

    changelog: MemoryChangelog
    epoch: int

    async def append(self, entries: Sequence[Entry]) -> int:
        """Append atomically; return the last offset."""
        return self.changelog.append(self.epoch, entries)
