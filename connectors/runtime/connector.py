"""The loop of a sink connector: poll, write, commit; and wait, its place kept, while a server is away."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import stamina
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaConnectionError

from connectors.runtime import metrics
from connectors.runtime.backoff import delay
from connectors.runtime.consumer import member, reader, record_of
from connectors.runtime.dead_letters import REFUSED, UNDECODABLE, UNPROJECTABLE, DeadLetters
from connectors.runtime.delivery import deliver
from connectors.runtime.pending import Pending
from connectors.runtime.projection import AnyProjection
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry, Sink, SinkUnavailableError
from schemas.codec import UndecodableError
from topics.settings import Settings

R = TypeVar("R")

log = structlog.get_logger(__name__)

_BREATH = 100
"""Records decoded in one go: between them heartbeats and the process's other sinks have their turn."""


@dataclass(frozen=True)
class Limits:
    """How much one batch may hold, and how long a poll waits where nothing is there.

    A batch is whatever is there when the one before it is done: one record when idle, many under load.
    """

    records: int = 2_000
    poll_s: float = 0.5
    commit_s: float = 30.0


class SinkConnector(ConsumerRebalanceListener, Generic[R]):  # type: ignore[misc] # aiokafka ships no types
    """Feeds one sink from the topics of its projections.

    With a `group`, partitions are shared with the group's other members and offsets are committed after the
    write. With `positions` in place of a group, it reads exactly those partitions from those offsets on and
    commits nothing.
    """

    def __init__(
        self,
        name: str,
        projections: Sequence[AnyProjection[R]],
        sink: Sink[R],
        dead_letters: DeadLetters,
        settings: Settings,
        *,
        group: str | None = None,
        positions: Mapping[TopicPartition, int] | None = None,
        limits: Limits | None = None,
    ) -> None:
        if (group is None) == (positions is None):
            raise ValueError("a connector has either a group or positions")
        self.name = name
        self._projections = {each.topic.name: each for each in projections}
        self._sink = sink
        self._dead_letters = dead_letters
        self._settings = settings
        self._group = group
        self._positions = positions
        self._limits = limits or Limits()
        self._stopping = asyncio.Event()
        self._lock = asyncio.Lock()
        self._pending = Pending()
        # A batch that is delivered again brings its refused records again: one letter each is enough.
        self._lettered: set[Record] = set()
        self._attempt = 0
        self._retry_at = 0.0
        self._consumer: AIOKafkaConsumer = None

    @property
    def healthy(self) -> bool:
        """Tell whether the sink's server took the last batch."""
        return self._attempt == 0

    @property
    def attempts(self) -> int:
        """Return how often in a row the server was away."""
        return self._attempt

    def stop(self) -> None:
        """Ask the loop to end after the batch in hand."""
        self._stopping.set()

    async def run(self, until: Mapping[TopicPartition, int] | None = None) -> None:
        """Feed the sink until `stop`, then leave the group.

        A connector that reads from `positions` also ends when all that comes before `until` is written.
        Raises aiokafka's errors where the broker refuses the consumer.
        """
        if until is not None and self._positions is None:
            raise ValueError("only a connector with positions knows when it has read up to an offset")
        if not await self._start():
            return
        try:
            while not self._stopping.is_set() and not (until is not None and await self._reached(until)):
                await self._turn()
        finally:
            try:
                await self._consumer.stop()
            finally:
                await self._sink.close()
            log.info("sink.stopped", sink=self.name)

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Let the batch in hand end, then forget what was not written: its next owner reads it again."""
        async with self._lock:
            self._pending.forget(revoked)
            for partition in revoked:
                metrics.LAG.remove(self.name, partition.topic, str(partition.partition))

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Note the new partitions."""
        log.info("sink.assigned", sink=self.name, partitions=len(assigned))

    async def _start(self) -> bool:
        # A connector that finds no broker waits for it, as it waits for its server later on.
        async for attempt in stamina.retry_context(on=KafkaConnectionError, attempts=None, timeout=None):
            with attempt:
                if self._stopping.is_set():
                    await self._sink.close()
                    return False
                self._consumer = await self._connect()
        log.info("sink.started", sink=self.name, topics=len(self._projections))
        return True

    async def _connect(self) -> AIOKafkaConsumer:
        client_id = f"sink-{self.name}"
        if self._group is not None:
            return await member(self._settings, client_id, self._group, self._projections, self)
        assert self._positions is not None
        return await reader(self._settings, client_id, self._positions)

    async def _turn(self) -> None:
        wait = self._limits.poll_s
        if self._attempt and self._pending:
            # A rebalance makes partitions flow again; the poll itself keeps the membership alive.
            self._consumer.pause(*self._consumer.assignment())
            wait = min(wait, max(0.0, self._retry_at - time.monotonic()))
        elif self._attempt:
            # What was in hand is another member's now: the next records tell whether the server is back.
            self._consumer.resume(*self._consumer.assignment())
        fetched = await self._consumer.getmany(timeout_ms=int(wait * 1000), max_records=self._limits.records)
        async with self._lock:
            for partition, records in fetched.items():
                self._pending.add(partition, [record_of(each) for each in records])
            self._pending.keep(self._consumer.assignment())
            if not self._pending or (self._attempt and time.monotonic() < self._retry_at):
                return
            try:
                await self._deliver(self._pending.records())
            except SinkUnavailableError as error:
                self._put_off(error)
                return
            if self._attempt:
                log.info("sink.resumed", sink=self.name, attempts=self._attempt)
                self._attempt = 0
                self._consumer.resume(*self._consumer.assignment())
            metrics.UP.labels(self.name).set(1)
            await self._commit(self._pending.offsets())
            self._pending.clear()
            self._lettered.clear()
            await self._measure()

    def _put_off(self, error: SinkUnavailableError) -> None:
        self._attempt += 1
        pause = delay(self._attempt)
        self._retry_at = time.monotonic() + pause
        metrics.RETRIES.labels(self.name).inc()
        metrics.UP.labels(self.name).set(0)
        log.warning(
            "sink.unavailable",
            sink=self.name,
            attempt=self._attempt,
            wait_s=round(pause, 2),
            error=str(error),
        )

    async def _deliver(self, records: Sequence[Record]) -> None:
        started = time.monotonic()
        batch: list[Entry[R]] = []
        for position, record in enumerate(records):
            if position % _BREATH == 0:
                await asyncio.sleep(0)
            try:
                rows = self._projections[record.topic].rows(record)
            except UndecodableError as error:
                await self._refuse(record, UNDECODABLE, error)
            except Exception as error:  # noqa: BLE001 # whatever a projector raises, the record is the cause
                await self._refuse(record, UNPROJECTABLE, error)
            else:
                batch.append(Entry(record, rows))
        if batch:
            await deliver(self._sink, batch, self._refuse_entry)
        metrics.FLUSH_SECONDS.labels(self.name).observe(time.monotonic() - started)
        metrics.BATCHES.labels(self.name).inc()
        metrics.BATCH_RECORDS.labels(self.name).observe(len(records))
        for record in records:
            metrics.RECORDS.labels(self.name, record.topic).inc()

    async def _refuse_entry(self, entry: Entry[R], error: BaseException | str) -> None:
        await self._refuse(entry.record, REFUSED, error)

    async def _refuse(self, record: Record, reason: str, error: BaseException | str) -> None:
        if record not in self._lettered:
            await self._dead_letters.put(record, reason, error)
            self._lettered.add(record)

    async def _commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self._group is None:
            return
        try:
            await asyncio.wait_for(self._consumer.commit(dict(offsets)), self._limits.commit_s)
        except (CommitFailedError, IllegalStateError, TimeoutError) as error:
            # Written and not committed: the partitions' next owner writes it again, which changes nothing.
            log.warning("sink.commit_failed", sink=self.name, error=str(error))

    async def _measure(self) -> None:
        for partition in self._consumer.assignment():
            end = self._consumer.highwater(partition)
            if end is not None:
                behind = end - await self._consumer.position(partition)
                metrics.LAG.labels(self.name, partition.topic, partition.partition).set(max(0, behind))

    async def _reached(self, until: Mapping[TopicPartition, int]) -> bool:
        if self._pending:
            return False
        for partition, offset in until.items():
            if await self._consumer.position(partition) < offset:
                return False
        return True
