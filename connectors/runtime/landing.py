"""Brings one batch to its view, however often that takes: dead letters, the write, and then the commit."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog
from aiokafka import TopicPartition

from connectors.runtime import metrics
from connectors.runtime.backoff import delay
from connectors.runtime.dead_letters import REFUSED, UNPROJECTABLE, DeadLetters
from connectors.runtime.delivery import deliver
from connectors.runtime.pending import Pending
from connectors.runtime.record import Record
from connectors.runtime.routes import Routes
from connectors.runtime.sink import BatchRefusedError, Entry, KeepsOffsets, Sink, SinkUnavailableError
from connectors.runtime.sizing import Sizing
from topics.skips import NONE, SkippedError, Skips

R = TypeVar("R")

log = structlog.get_logger(__name__)

BREATH = 50
"""Records handled in one go: between them the server's answers and the process's other sinks have a turn."""

Letter = Callable[[Record, str, Exception], Awaitable[None]]
Commit = Callable[[dict[TopicPartition, int]], Awaitable[None]]


class Landing(Generic[R]):
    """Writes the batches of one sink, one after the other; a server that is away is asked again for ever."""

    def __init__(
        self,
        name: str,
        routes: Routes[R],
        sink: Sink[R],
        dead_letters: DeadLetters,
        *,
        sizing: Sizing,
        commit: Commit,
        skips: Skips = NONE,
    ) -> None:
        self._name = name
        self._routes = routes
        self._sink = sink
        self._dead_letters = dead_letters
        self._sizing = sizing
        self._commit = commit
        self._skips = skips
        self.attempts = 0
        self.last_error = ""
        self.away = asyncio.Event()
        """Set while the server does not take batches."""

    async def land(self, batch: Pending[R]) -> None:
        """Write the batch and commit it. What a rebalance takes out of it meanwhile is left to others."""
        # A batch that is delivered again brings its refused records again: one letter each is enough.
        lettered: set[Record] = set()
        while batch:
            try:
                await self._deliver(batch, lettered)
            except SinkUnavailableError as error:
                await asyncio.sleep(self._put_off(error))
                if self._skips:
                    batch.leave(self._told)
                continue
            if self.attempts:
                log.info("sink.resumed", sink=self._name, attempts=self.attempts)
                self.attempts, self.last_error = 0, ""
                self.away.clear()
            metrics.UP.labels(self._name).set(1)
            await self._commit(batch.offsets())
            return

    def _told(self, record: Record) -> SkippedError | None:
        return self._skips.of(self._name, record.topic, record.partition, record.offset)

    async def _deliver(self, batch: Pending[R], lettered: set[Record]) -> None:
        started = time.monotonic()
        records = batch.records

        async def letter(record: Record, reason: str, error: Exception) -> None:
            if record not in lettered:
                await self._dead_letters.put(record, reason, error)
                lettered.add(record)

        async def refuse(entry: Entry[R], error: BatchRefusedError) -> None:
            await letter(entry.record, REFUSED, error)

        # Letters first: a sink that keeps offsets beside its rows must not pass a record that lies nowhere.
        for refused in batch.refused():
            await letter(*refused)
        entries = await self._entries(batch)
        if entries is None or not await self._wrote(entries, refuse):
            # Something in it is bad: each record stands for itself then, and the good ones land.
            entries = await self._each(batch, letter)
            await deliver(self._sink, entries, refuse)
        if isinstance(self._sink, KeepsOffsets):
            # Also behind records of which nothing was written: what it lacks else is lost.
            await self._sink.passed(batch.offsets())
        seconds = time.monotonic() - started
        self._sizing.wrote(records, seconds)
        metrics.wrote(self._name, entries, records, seconds)

    async def _entries(self, batch: Pending[R]) -> list[Entry[R]] | None:
        """Return the batch's entries, each aggregate's state once; None where a projector fails."""
        entries: list[Entry[R]] = []
        held = batch.held()
        for start in range(0, len(held), BREATH):
            await asyncio.sleep(0)
            try:
                entries += [
                    Entry(record, batch.rows_of(projected))
                    for record, projected in held[start : start + BREATH]
                ]
            except Exception:  # noqa: BLE001 # whatever a projector raises, a record is the cause
                return None
        return entries

    async def _each(self, batch: Pending[R], letter: Letter) -> list[Entry[R]]:
        """Return the batch's entries with all of their rows; what no rows can be made of becomes a letter."""
        entries: list[Entry[R]] = []
        for record, _ in batch.held():
            await asyncio.sleep(0)
            try:
                rows = self._routes.of(record.topic).rows(record)
            except Exception as error:  # noqa: BLE001 # the same
                await letter(record, UNPROJECTABLE, error)
            else:
                entries.append(Entry(record, rows))
        return entries

    async def _wrote(
        self, entries: Sequence[Entry[R]], refuse: Callable[[Entry[R], BatchRefusedError], Awaitable[None]]
    ) -> bool:
        """Write the batch, and tell whether the server took it as a whole."""
        if not entries:
            return True
        try:
            refusals = await self._sink.write(entries)
        except BatchRefusedError:
            return False
        for refusal in refusals:
            await refuse(entries[refusal.index], BatchRefusedError(refusal.error, refusal.code))
        return True

    def _put_off(self, error: SinkUnavailableError) -> float:
        self.attempts += 1
        self.last_error = str(error)
        self.away.set()
        self._sizing.failed()
        pause = delay(self.attempts)
        metrics.away(self._name, self.last_error)
        log.warning(
            "sink.unavailable",
            sink=self._name,
            attempt=self.attempts,
            wait_s=round(pause, 2),
            error=self.last_error,
        )
        return pause
