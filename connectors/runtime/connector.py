"""The loop of a sink connector: read and project the next batch while the server writes the last one."""

import asyncio
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Generic, NoReturn, TypeVar

import structlog
from aiokafka import TopicPartition
from confluent_kafka import KafkaException

from connectors.runtime import metrics
from connectors.runtime.consumer import Batch, KafkaReader
from connectors.runtime.dead_letters import DeadLetters
from connectors.runtime.landing import BREATH, Landing
from connectors.runtime.pending import Pending
from connectors.runtime.projection import AnyProjection
from connectors.runtime.routes import Routes
from connectors.runtime.sink import KeepsOffsets, Sink, SinkUnavailableError
from connectors.runtime.sizing import Limits, Sizing
from connectors.runtime.standing import Standing
from topics.settings import Settings
from topics.skips import NONE, Skips

R = TypeVar("R")

log = structlog.get_logger(__name__)

_SLICE = 1_000
_PATIENCE_S = 1.0
"""A full batch waits this long for the one before it; then its partitions are paused, which costs a fetch."""
_GRACE_S = 30.0
"""How long a stop waits for the write in flight."""
_YIELD_S = 15.0
"""How long a rebalance waits for it, and its commit."""
_LOOK_S = 1.0


class SinkConnector(Generic[R]):
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
        skips: Skips = NONE,
    ) -> None:
        if (group is None) == (positions is None):
            raise ValueError("a connector has either a group or positions")
        self.name = name
        self._routes = Routes(projections)
        self._sink = sink
        self._settings = settings
        self._group = group
        self._positions = positions
        self._limits = limits or Limits()
        self._sizing = Sizing(self._limits)
        self._landing: Landing[R] = Landing(
            name, self._routes, sink, dead_letters, commit=self._written, sizing=self._sizing, skips=skips
        )
        self._standing = Standing(settings, group, self._routes.topics) if group is not None else None
        self._watch: asyncio.Task[NoReturn] | None = None
        self._skips = skips
        self._stopping = asyncio.Event()
        self._hand: Pending[R] = Pending()
        self._landed: Pending[R] = self._hand
        self._write: asyncio.Task[None] | None = None
        self._poll: asyncio.Future[Batch] | None = None
        self._full_since: float | None = None
        self._begun = 0.0
        self._looked = 0.0
        self._done: dict[TopicPartition, int] = dict(positions or {})
        self._owed: dict[TopicPartition, int] = {}
        self._committed = float("-inf")
        self._reader: KafkaReader
        self._halt: asyncio.Task[Any]

    @property
    def healthy(self) -> bool:
        """Tell whether the sink's server took the last batch."""
        return not self._landing.away.is_set()

    @property
    def attempts(self) -> int:
        """Return how often in a row the server was away."""
        return self._landing.attempts

    @property
    def last_error(self) -> str:
        """Return what the server said when it was last asked; nothing while it takes batches."""
        return self._landing.last_error

    def stop(self) -> None:
        """Ask the loop to end after the batch that is being written."""
        self._stopping.set()

    async def run(self, until: Mapping[TopicPartition, int] | None = None) -> None:
        """Feed the sink until `stop`, then leave the group.

        A connector that reads from `positions` also ends when all that comes before `until` is written.
        Raises confluent_kafka.KafkaException where the client cannot go on; a broker that is away is waited
        for.
        """
        if until is not None and self._positions is None:
            raise ValueError("only a connector with positions knows when it has read up to an offset")
        if self._standing is not None:
            await self._standing.begin()
            self._watch = asyncio.create_task(self._standing.watch(), name=f"standing-{self.name}")
        self._reader = KafkaReader(
            self._settings,
            f"sink-{self.name}",
            self,
            topics=self._routes.topics,
            group=self._group,
            positions=self._positions,
        )
        self._halt = asyncio.create_task(self._stopping.wait())
        log.info("sink.started", sink=self.name, topics=len(self._routes.topics))
        try:
            while not self._stopping.is_set() and not (until is not None and self._reached(until)):
                await self._turn()
        finally:
            self._halt.cancel()
            if self._watch is not None:
                self._watch.cancel()
            await self._end()
            log.info("sink.stopped", sink=self.name)

    async def gained(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Note the new partitions; return where to begin those whose commits do not tell it.

        What the sink keeps beside its rows goes before what the group has committed: the rows may have been
        put back to an older state. What cannot be asked now, the sink's first write finds out.
        """
        log.info("sink.assigned", sink=self.name, partitions=len(partitions))
        assert self._standing is not None, "only a group's member gains partitions"
        starts = dict.fromkeys(await self._standing.anew(partitions), 0)
        if isinstance(self._sink, KeepsOffsets):
            try:
                own = await self._sink.starts(partitions)
            except SinkUnavailableError as error:
                log.warning("sink.offsets_unknown", sink=self.name, error=str(error))
            else:
                kept = {TopicPartition(*place): offset for place, offset in own.items()}
                starts |= kept
                # A member that died behind its write has not committed it: a partition to which nothing comes
                # any more would look unread for ever.
                self._owed |= {place: offset for place, offset in kept.items() if offset}
        return starts

    def mark(self, topic: str) -> str:
        """Return what to keep beside a committed offset of a topic."""
        return self._standing.mark(topic) if self._standing is not None else ""

    async def yielded(self, partitions: Collection[TopicPartition], *, lost: bool) -> None:
        """Let the write in flight end, commit it, and forget what is not written: its next owner reads it."""
        self._hand.forget(partitions)
        if not lost:
            if self._write is not None and self._landed.touches(partitions):
                await self._let_end(self._write, _YIELD_S)
            if any(partition in self._owed for partition in partitions):
                await self._commit()
        self._landed.forget(partitions)
        for partition in partitions:
            self._owed.pop(partition, None)
            self._done.pop(partition, None)
            metrics.forget_lag(self.name, partition)

    async def _turn(self) -> None:
        """Wait for records or for the end of the write, whichever comes first, and start the next write."""
        if self._full:
            await self._hold_back()
        else:
            await self._take(self._limits.poll_s)
        if self._write is not None and self._write.done():
            self._write.result()
            self._write = None
            self._done.update(self._landed.offsets())
        if self._write is None and self._hand and (self._full or self._lingered):
            self._landed, self._hand = self._hand, Pending()
            self._write = asyncio.create_task(self._landing.land(self._landed))
            self._full_since = None
            self._reader.resume()
        if self._write is None and self._owed and not self._commits_in():
            self._landed, self._write = Pending(), asyncio.create_task(self._commit())
        if self._watch is not None and self._watch.done():
            self._watch.result()
        self._look()

    @property
    def _full(self) -> bool:
        return self._hand.records >= self._sizing.records or self._hand.size >= self._limits.size

    @property
    def _lingered(self) -> bool:
        return time.monotonic() - self._begun >= self._limits.linger_s

    async def _take(self, wait_s: float) -> None:
        """Take the next records in hand, or go on when the write has ended."""
        if self._poll is None:
            if self._hand and self._write is None:
                wait_s = max(0.0, self._begun + self._limits.linger_s - time.monotonic())
            if self._owed and self._write is None:
                wait_s = min(wait_s, self._commits_in())
            most = max(1, min(self._sizing.records - self._hand.records, _SLICE))
            self._poll = self._reader.fetch(wait_s, most)
        waits: set[asyncio.Future[Any]] = {self._poll, self._halt, *((self._write,) if self._write else ())}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if self._poll.done():
            batch, self._poll = self._poll.result(), None
            await self._project(batch)

    async def _hold_back(self) -> None:
        """Wait for the write while the hand is full; a long wait pauses the partitions; polling goes on."""
        assert self._write is not None
        now = time.monotonic()
        self._full_since = self._full_since or now
        left = self._full_since + _PATIENCE_S - now
        if left > 0:
            await asyncio.wait({self._write, self._halt}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        else:
            self._reader.pause()
            metrics.PAUSED.labels(self.name).set(1)
            await self._take(self._limits.poll_s)

    async def _project(self, batch: Batch) -> None:
        if not self._hand and batch.records:
            self._begun = time.monotonic()
        for position, record in enumerate(batch.records):
            if position % BREATH == 0:
                await asyncio.sleep(0)
            if self._skips and (
                skipped := self._skips.of(self.name, record.topic, record.partition, record.offset)
            ):
                self._hand.skip(record, skipped)
            else:
                self._hand.take(record, self._routes)
        self._hand.ended(batch.ends)

    async def _written(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Note what is to be committed, and commit it unless that was done a moment ago.

        The broker pays for a commit as for a batch of records, and a batch is often one record.
        """
        if self._group is None:
            return
        self._owed.update(offsets)
        if not self._commits_in():
            await self._commit()

    def _commits_in(self) -> float:
        """Return for how long (s) the next commit has to wait."""
        return max(0.0, self._committed + self._limits.commits_apart_s - time.monotonic())

    async def _commit(self) -> None:
        """Commit what is written and was not committed before."""
        owed = dict(self._owed)
        if not owed:
            return
        self._committed = time.monotonic()
        try:
            await asyncio.wait_for(self._reader.commit(owed), self._limits.commit_s)
        except (KafkaException, TimeoutError) as error:
            # It is tried again with the next batch; a next owner that comes first writes it again, which
            # changes nothing.
            log.warning("sink.commit_failed", sink=self.name, error=str(error))
        else:
            self._owed = {each: at for each, at in self._owed.items() if owed.get(each) != at}

    async def _let_end(self, write: "asyncio.Task[None]", seconds: float) -> None:
        """Wait for a write as long as its server takes batches."""
        away = asyncio.create_task(self._landing.away.wait())
        await asyncio.wait({write, away}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        away.cancel()

    def _reached(self, until: Mapping[TopicPartition, int]) -> bool:
        return all(self._done.get(partition, 0) >= offset for partition, offset in until.items())

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        metrics.PAUSED.labels(self.name).set(int(self._reader.paused))
        metrics.BATCH_LIMIT.labels(self.name).set(self._sizing.records)
        metrics.lag(self.name, self._behind(), self._oldest())

    def _behind(self) -> Iterator[tuple[TopicPartition, int]]:
        for partition, end in self._reader.ends.items():
            done = self._done.get(partition)
            if done is not None and partition in self._reader.assignment:
                yield partition, max(0, end - done)

    def _oldest(self) -> int | None:
        in_hand = [each.oldest() for each in (self._hand, self._landed) if each is self._hand or self._write]
        return min((oldest for oldest in in_hand if oldest is not None), default=None)

    async def _end(self) -> None:
        try:
            if self._write is not None:
                await self._let_end(self._write, _GRACE_S)
                self._write.cancel()
                await asyncio.gather(self._write, return_exceptions=True)
            self._reader.hurry()
            await self._commit()
            if self._poll is not None:
                await asyncio.gather(self._poll, return_exceptions=True)
            await self._reader.close()
        finally:
            await self._sink.close()
