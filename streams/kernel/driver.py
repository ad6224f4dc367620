"""The topology driver: a domain's real flows in memory, with a virtual clock; no Kafka, no waiting.

    async with Driver(CART_FLOW, ORDER_FLOW) as driver:
        sent = await driver.send(CART_ADD, "cart-1", CartAdd(...), user_id="u1")
        assert driver.events(CART_UPDATED)[-1].data.lines == (...)
        assert driver.table(CARTS)["cart-1"].lines == (...)
        await driver.advance(30 * 60_000)                       # fires timers on the way
        assert driver.events(CART_ABANDONED)
        assert not driver.dead_letters("cart")

Outputs to topics that a given flow routes loop back until nothing is left to do; all others are only kept.
Everything is deterministic: the same sends give the same records, ids and order. `partitions` spreads keys as
the broker would.

Crashes: `driver.crash_at(Step.AFTER_CHANGELOG)` kills the worker inside the next unit of work; what was not
durable is gone, and the driver restores from the changelog (`wipe=True`: without local state too) and goes
on, as a restarted worker does. Nobody may see a difference but outputs repeated under the same ids.

Schedules: with `settle=False`, `send` only appends; `ready()` lists what could be delivered, and
`deliver(flow, topic, partition, count)` delivers it, so that a simulation chooses the order across topics and
partitions. `replay` feeds recorded raw records.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from schemas.envelope import Message
from streams.kernel.flow import Flow
from streams.kernel.layout import is_state
from streams.kernel.memory import (
    CrashError,
    CrashPoint,
    MemoryChangelog,
    MemoryLog,
    MemoryRecord,
    MemoryStore,
    Step,
)
from streams.kernel.ports import Output, Record
from streams.kernel.task import PartitionTask
from tables.table import Table
from topics.command import command
from topics.topic import Topic, dead_letters
from topics.wire import decode, encode

D = TypeVar("D", bound=msgspec.Struct)
S = TypeVar("S", bound=msgspec.Struct)

DEFAULT_START_MS = 1_700_000_000_000


class Place(NamedTuple):
    """Records that wait: a flow's partition and one of its source topics."""

    flow: str
    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead-lettered record: original bytes, and what its headers say."""

    key: bytes | None
    value: bytes | None
    headers: dict[str, str]


class Driver:
    """Runs flows over an in-memory log. `now` is the virtual time in ms; use as an async context manager."""

    def __init__(
        self, *flows: Flow[Any], partitions: int = 2, now: int = DEFAULT_START_MS, max_batch: int = 500
    ) -> None:
        self.now = now
        self._flows = {flow.name: flow for flow in flows}
        self._max_batch = max_batch
        self._crash = CrashPoint()
        letters = frozenset(route.topic.dead_letters.name for flow in flows for route in flow.routes)
        self.log = MemoryLog(partitions, letters)
        self._stores: dict[tuple[str, int], MemoryStore] = {}
        self._changelogs: dict[tuple[str, int], MemoryChangelog] = {}
        self._tasks: dict[tuple[str, int], PartitionTask[Any]] = {}
        self._cursors: dict[Place, int] = {}
        self._wipe = False
        self.crashes = 0
        for flow in flows:
            for partition in range(partitions):
                self._changelogs[flow.name, partition] = MemoryChangelog(self._crash)
                for route in flow.routes:
                    self._cursors[Place(flow.name, route.topic.name, partition)] = 0

    async def __aenter__(self) -> Self:
        await self.restart()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    # -- sending -------------------------------------------------------------------------------------------

    async def send(
        self,
        topic: Topic[D],
        key: str,
        data: D,
        *,
        settle: bool = True,
        event_id: str | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
        user_id: str | None = None,
        source: str = "test",
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> Message[D]:
        """Send a typed message at the virtual time, and (by default) run until nothing is left to do."""
        message = command(
            topic,
            key,
            data,
            event_id=event_id,
            correlation_id=correlation_id,
            causation_id=causation_id,
            user_id=user_id,
            source=source,
            occurred_at=self.now,
        )
        await self.send_raw(topic.name, key.encode(), encode(topic, message), settle=settle, headers=headers)
        return message

    async def send_raw(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        settle: bool = True,
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> None:
        """Send bytes as they are, decodable or not."""
        self.log.append(Output(topic, key, value, headers), self.now)
        if settle:
            await self.settle()

    async def replay(self, records: Iterable[Record]) -> None:
        """Send recorded records, in their order, and run until nothing is left to do."""
        for record in records:
            await self.send_raw(
                record.topic, record.key, record.value, settle=False, headers=tuple(record.headers or ())
            )
        await self.settle()

    async def publish(self, outputs: Iterable[Output]) -> None:
        """Append outputs to the log: the kernel's way out."""
        for output in outputs:
            self.log.append(output, self.now)
            self._crash.reached(Step.AMID_OUTPUTS)

    # -- running -------------------------------------------------------------------------------------------

    def ready(self) -> list[Place]:
        """Return where records wait, in a fixed order."""
        records = self.log.records
        return [
            place
            for place, cursor in self._cursors.items()
            if cursor < len(records.get((place.topic, place.partition), ()))
        ]

    async def deliver(self, place: Place, count: int = 1) -> None:
        """Deliver up to `count` waiting records of one place, as one batch; survive an armed crash."""
        cursor = self._cursors[place]
        records = self.log.records[place.topic, place.partition][cursor : cursor + count]
        await self._apply(place.flow, place.partition, records)

    async def settle(self) -> None:
        """Deliver everything, in order of arrival, until nothing is left to do."""
        while places := self.ready():
            waiting: dict[tuple[str, int], list[MemoryRecord]] = {}
            for place in places:
                records = self.log.records[place.topic, place.partition][self._cursors[place] :]
                waiting.setdefault((place.flow, place.partition), []).extend(records)
            for (flow, partition), records in waiting.items():
                records.sort(key=lambda record: record.arrival)
                await self._apply(flow, partition, records[: self._max_batch])

    async def advance(self, milliseconds: int) -> None:
        """Move the clock on, stopping at every timer that comes due on the way."""
        end = self.now + milliseconds
        await self.settle()
        while (due := self._next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            for task in list(self._tasks.values()):
                try:
                    await task.fire_timers()
                except CrashError:
                    await self._recover()
            await self.settle()
        self.now = end

    def _next_due(self) -> int | None:
        return min(
            (due for task in self._tasks.values() if (due := task.next_due()) is not None), default=None
        )

    async def _apply(self, flow: str, partition: int, records: list[MemoryRecord]) -> None:
        task = self._tasks[flow, partition]
        try:
            while records:
                batch = await task.apply(records)
                records = records[batch.consumed :]
                for topic, position in task.positions.items():
                    self._cursors[Place(flow, topic, partition)] = position + 1
        except CrashError:
            await self._recover()

    # -- crashing ------------------------------------------------------------------------------------------

    def crash_at(self, step: Step, *, wipe: bool = False) -> None:
        """Kill the worker when it next reaches `step`; `wipe` loses its local state too."""
        self._crash.arm(step)
        self._wipe = wipe

    async def restart(self, *, wipe: bool = False, rewind: bool = False) -> None:
        """Start over from what is durable; `rewind` delivers all sources again from their beginning."""
        if wipe:
            self._stores.clear()
        if rewind:
            self._cursors = dict.fromkeys(self._cursors, 0)
        for (name, partition), changelog in self._changelogs.items():
            store = self._stores.setdefault((name, partition), MemoryStore(self._crash))
            writer = changelog.writer()
            changelog.recover(store)
            self._tasks[name, partition] = PartitionTask(
                self._flows[name],
                partition,
                store=store,
                changelog=writer,
                publisher=self,
                clock=lambda: self.now,
            )
        for (name, partition), task in self._tasks.items():
            await task.open()
            # What left no trace in the changelog comes again now, as from a broker: not at some later batch.
            for topic, position in task.positions.items():
                place = Place(name, topic, partition)
                self._cursors[place] = min(self._cursors[place], position + 1)

    async def _recover(self) -> None:
        self.crashes += 1
        await self.restart(wipe=self._wipe)

    # -- looking -------------------------------------------------------------------------------------------

    def events(self, topic: Topic[D]) -> list[Message[D]]:
        """Return all messages of a topic, decoded, in order of arrival."""
        return [
            decode(topic, record.value)
            for record in self.log.arrived
            if record.topic == topic.name and record.value is not None
        ]

    def table(self, table: Table[S]) -> dict[str, S]:
        """Return a table's states by key, from all partitions."""
        flows = {name for name, flow in self._flows.items() if flow.table.name == table.name}
        return {
            key.decode(): table.decode(value)
            for (flow, _), store in self._stores.items()
            if flow in flows
            for key, value in store.items()
            if is_state(key)
        }

    def dead_letters(self, domain: str) -> list[DeadLetter]:
        """Return the dead letters of a domain, in order of arrival."""
        topic = dead_letters(domain).name
        return [
            DeadLetter(record.key, record.value, {name: value.decode() for name, value in record.headers})
            for record in self.log.arrived
            if record.topic == topic
        ]
