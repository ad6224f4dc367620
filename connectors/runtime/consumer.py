"""The Kafka side of a sink connector: librdkafka's consumer, on a thread of its own.

It fetches beside the interpreter, and its groups rebalance incrementally (cooperative-sticky): a member that
comes or goes moves only the partitions that change hands, and all others flow on.
"""

import asyncio
import time
from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import structlog
from aiokafka import TopicPartition
from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as Place

from connectors.runtime.client_thread import ClientThread
from connectors.runtime.record import Record
from topics.consumers import member, reader
from topics.header_values import headers_of
from topics.settings import Settings

log = structlog.get_logger(__name__)

T = TypeVar("T")

# The broker gathers this long, or this much, before it answers a sink of many topics: a fetch asks for every
# partition of each, so that one per record cost more than all the records' work. A sink of a few topics (the
# carts, which shoppers read back at once) asks cheaply, and gets each record as it comes.
FEW_TOPICS = 4
GATHERED_MS = 100
GATHERED_BYTES = 256 * 1024
IDLE_MS = 500
"""How long a fetch waits that the first record answers."""

_TURN_S = 20.0
"""How long a rebalance waits for the connector to let go of what it holds."""
_SLICE_S = 0.05
"""How long the client is asked at once for records: a commit waits for no longer than that."""
_LOOK_S = 1.0


class Owner(Protocol):
    """Who is told of partitions that come and go."""

    async def gained(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Note partitions that are ours from now on; return where to begin those that begin elsewhere."""
        ...

    def mark(self, topic: str) -> str:
        """Return what to keep beside a committed offset of a topic."""
        ...

    async def yielded(self, partitions: Collection[TopicPartition], *, lost: bool) -> None:
        """Let go of partitions; where they are `lost`, another member has them already."""
        ...


class Batch:
    """What one look has found: records in their partitions' order, and partitions read to their end."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.ends: dict[TopicPartition, int] = {}


class KafkaReader:
    """Reads topics as a group's member, or exactly the partitions of `positions` without a group."""

    def __init__(
        self,
        settings: Settings,
        client_id: str,
        owner: Owner,
        *,
        topics: Collection[str] = (),
        group: str | None = None,
        positions: Mapping[TopicPartition, int] | None = None,
    ) -> None:
        self._owner = owner
        self._topics = sorted(topics)
        self._positions = positions
        self.assignment: frozenset[TopicPartition] = frozenset(positions or ())
        """The partitions that are read."""
        self.ends: Mapping[TopicPartition, int] = {}
        """The offset after the last record of partitions that were fetched from, a second old at most."""
        self._looked = 0.0
        self._paused = self._pausing = False
        self._gone: set[tuple[str, int]] = set()
        self._told = ""
        self._hurried = False
        self._thread = ClientThread(client_id)
        self._loop = asyncio.get_running_loop()
        gathers = group is not None and len(self._topics) > FEW_TOPICS
        fetching = {
            "isolation.level": "read_uncommitted",
            "fetch.min.bytes": GATHERED_BYTES if gathers else 1,
            "fetch.wait.max.ms": GATHERED_MS if gathers else IDLE_MS,
            # How long a full queue keeps it from fetching: its default, a second, would starve a sink.
            "fetch.queue.backoff.ms": 10,
            # A topic that appears is read soon.
            "topic.metadata.refresh.interval.ms": 10_000,
        }
        if group is None:
            self._consumer = reader(
                settings, client_id, on_error=self._note, ends=positions is not None, tuning=fetching
            )
        else:
            # A member hears by its heartbeat that others come or go, twice in each rebalance.
            keeping = {"heartbeat.interval.ms": 1_000}
            self._consumer = member(
                settings, group, client_id, on_error=self._note, tuning=fetching | keeping
            )
        if positions is None:
            self._consumer.subscribe(
                self._topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
            )
        else:
            self._consumer.assign(
                [Place(topic, partition, offset) for (topic, partition), offset in positions.items()]
            )

    def fetch(self, wait_s: float, most: int) -> "asyncio.Future[Batch]":
        """Look for records: at once what is there, else what comes first within `wait_s` seconds.

        Raises confluent_kafka.KafkaException where the client cannot go on.
        """
        return self._thread.run(self._poll, wait_s, most)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit the next offsets to read; in a rebalance, before the partitions go.

        Raises confluent_kafka.KafkaException.
        """
        places = [
            Place(topic, partition, offset, self._owner.mark(topic))
            for (topic, partition), offset in offsets.items()
        ]
        done = await self._thread.between(lambda: self._consumer.commit(offsets=places, asynchronous=False))
        for place in done or ():
            if place.error is not None:
                raise KafkaException(place.error)

    def pause(self) -> None:
        """Let nothing come until `resume`; polling goes on, as it keeps the membership alive."""
        self._pausing = True

    @property
    def paused(self) -> bool:
        """Tell whether partitions are paused."""
        return self._pausing

    def resume(self) -> None:
        """Let records come again."""
        self._pausing = False

    def hurry(self) -> None:
        """Let a fetch end soon, however long it was to wait."""
        self._hurried = True

    async def close(self) -> None:
        """Leave the group, so that its others take over at once."""
        try:
            await self._thread.run(self._consumer.close)
        finally:
            self._thread.close()

    def _poll(self, wait_s: float, most: int) -> Batch:
        batch = Batch()
        first = self._first(wait_s)
        # A rebalance before the first record is behind it: partitions that left and came back count again.
        self._gone.clear()
        if first is None:
            return batch
        rest: Sequence[Message] = self._consumer.consume(most - 1, 0.0) if most > 1 else ()
        for message in (first, *rest):
            if message.error() is None:
                batch.records.append(_record_of(message))
            else:
                self._take_note(message, batch)
        if self._gone:
            # A rebalance came between the first record and the rest.
            batch.records = [each for each in batch.records if (each.topic, each.partition) not in self._gone]
        return batch

    def _first(self, wait_s: float) -> Message | None:
        """Return what comes first, and do between the slices of the wait what was asked for meanwhile."""
        end = time.monotonic() + wait_s
        while True:
            self._thread.serve()
            self._settle()
            left = end - time.monotonic()
            first = self._consumer.poll(max(0.0, min(left, _SLICE_S)))
            if first is not None or left <= _SLICE_S or self._hurried:
                return first

    def _settle(self) -> None:
        """Pause or resume, as was said last, and look where the partitions end."""
        if self._pausing != self._paused:
            self._paused = self._pausing
            (self._consumer.pause if self._paused else self._consumer.resume)(_places(self.assignment))
        now = time.monotonic()
        if now - self._looked >= _LOOK_S:
            self._looked = now
            told = ((each, self._watermark(each)) for each in self.assignment)
            self.ends = {partition: end for partition, end in told if end >= 0}

    def _watermark(self, partition: TopicPartition) -> int:
        _, end = self._consumer.get_watermark_offsets(Place(*partition), cached=True)
        return int(end)

    def _take_note(self, message: Any, batch: Batch) -> None:
        error: KafkaError = message.error()
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client's name for it
            batch.ends[TopicPartition(message.topic(), message.partition())] = message.offset()
        else:
            self._note(error)

    def _note(self, error: KafkaError) -> None:
        if error.fatal():
            raise KafkaException(error)
        # Told once until it changes: the client repeats it with every try.
        if (text := error.str()) != self._told:
            self._told = text
            log.warning("sink.broker", error=text)

    def _assigned(self, consumer: Consumer, places: list[Place]) -> None:
        starts = self._turn(self._owner.gained(_partitions(places))) or {}
        consumer.incremental_assign(
            [
                Place(
                    each.topic,
                    each.partition,
                    starts.get(TopicPartition(each.topic, each.partition), each.offset),
                )
                for each in places
            ]
        )
        self.assignment |= frozenset(_partitions(places))
        # The client keeps a partition paused through its absence: who paused it and lost it resumes it here.
        if places:
            (consumer.pause if self._paused else consumer.resume)(places)

    def _revoked(self, consumer: Consumer, places: list[Place]) -> None:
        self._leave(consumer, places, lost=False)

    def _lost(self, consumer: Consumer, places: list[Place]) -> None:
        self._leave(consumer, places, lost=True)

    def _leave(self, consumer: Consumer, places: list[Place], *, lost: bool) -> None:
        self._gone.update(_partitions(places))
        self._turn(self._owner.yielded(_partitions(places), lost=lost))
        consumer.incremental_unassign(places)
        self.assignment -= frozenset(_partitions(places))

    def _turn(self, told: Awaitable[T]) -> T | None:
        """Let the connector's loop do its part, and commit within the callback what it has written."""

        async def part() -> T:
            return await told

        letting_go = asyncio.run_coroutine_threadsafe(part(), self._loop)
        try:
            self._thread.serve_until(letting_go, _TURN_S)
            return letting_go.result(0)
        except TimeoutError:
            # The rebalance goes on without it: what is written late, its next owner has written alike.
            log.warning("sink.rebalance_not_awaited", seconds=_TURN_S)
            return None


def _places(partitions: Collection[TopicPartition]) -> list[Place]:
    return [Place(topic, partition) for topic, partition in partitions]


def _partitions(places: Collection[Place]) -> list[TopicPartition]:
    return [TopicPartition(place.topic, place.partition) for place in places]


def _record_of(message: Any) -> Record:
    # The client's types allow for a message that is an error, which has no place.
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
        headers_of(message),
    )
