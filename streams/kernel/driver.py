"""The topology driver: the platform's real flows in memory, with a virtual clock; no Kafka, no waiting.

    async with Driver(CART_FLOW, ORDER_FLOW) as driver:
        sent = await driver.send(CART_ADD, "cart-1", CartAdd(...), user_id="u1")
        assert driver.events(CART_UPDATED)[-1].data.lines == (...)
        assert driver.table(CARTS)["cart-1"].lines == (...)
        await driver.advance(30 * 60_000)                       # fires timers on the way
        assert driver.events(CART_ABANDONED)
        assert not driver.dead_letters("cart")

| to                         | there is                                                                      |
|----------------------------|-------------------------------------------------------------------------------|
| send                       | `send` (typed), `send_raw` (bytes, headers), `replay` (recorded records)      |
| let time pass              | `advance(ms)`: timers fire on the way; `now` is the virtual time              |
| see messages               | `events(topic)`: all; `read(topic, group)`: those that the group has not read |
| see records as they lie    | `records(topic)`: key, value, headers, partition, offset, timestamp           |
| see tables                 | `table(table)`: states by key; `parts(table)`: their parts                    |
| see who has read how far   | `committed(group)`: a flow's group has its name; `ready()`: what waits        |
| see what was refused       | `dead_letters(domain)`                                                        |
| crash, restart             | `crash_at(step)`, `restart(wipe=..., rewind=...)`, `crashes`                  |
| choose the order           | `send(..., settle=False)`, `ready()`, `deliver(place, count)`                 |

Outputs to topics that a given flow routes loop back until nothing is left to do; all others are only kept.
Everything is deterministic: the same sends give the same records, ids and order. `partitions` spreads keys as
the broker would; dead-letter topics have one.

Crashes: `driver.crash_at(Step.AFTER_CHANGELOG)` kills the worker inside the next unit of work; what was not
durable is gone, and the driver restores from the changelog (`wipe=True`: without local state too) and goes
on, as a restarted worker does. Nobody may see a difference but outputs repeated under the same ids.

Schedules: with `settle=False`, `send` only appends; `ready()` lists what could be delivered, and
`deliver(place, count)` delivers it, so that a simulation chooses the order across topics and partitions.

In a test, the fixture `driver` of `deploy.replay.pytest_plugin` gives one with all flows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from schemas.envelope import Message
from streams.kernel.flow import Flow
from streams.kernel.layout import is_state, split_part
from streams.kernel.memory import CrashError, CrashPoint, MemoryLog, MemoryRecord, Step
from streams.kernel.memory_groups import MemoryGroups, Place
from streams.kernel.memory_worker import MemoryWorker
from streams.kernel.ports import Output, Record
from tables.table import Table
from topics.command import command
from topics.topic import RawTopic, Topic, dead_letters
from topics.wire import decode, encode

__all__ = ["DEFAULT_START_MS", "DeadLetter", "Driver", "Place"]

D = TypeVar("D", bound=msgspec.Struct)
S = TypeVar("S", bound=msgspec.Struct)

DEFAULT_START_MS = 1_700_000_000_000


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
        self.crashes = 0
        self._max_batch = max_batch
        self._crash = CrashPoint()
        self._wipe = False
        letters = frozenset(route.topic.dead_letters.name for flow in flows for route in flow.routes)
        self.log = MemoryLog(partitions, letters)
        self._groups = MemoryGroups(self.log)
        for flow in flows:
            self._groups.subscribe(flow.name, (route.topic.name for route in flow.routes))
        self._names = frozenset(flow.name for flow in flows)
        self._worker = MemoryWorker(
            flows, partitions, publisher=self, clock=lambda: self.now, crash=self._crash
        )

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
        headers: tuple[tuple[str, bytes | None], ...] = (),
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
        """Return where records wait for a flow, in a fixed order."""
        return self._groups.waiting(self._names)

    async def deliver(self, place: Place, count: int = 1) -> None:
        """Deliver up to `count` waiting records of one place, as one batch; survive an armed crash."""
        await self._apply(place.flow, place.partition, self._groups.records(place, count))

    async def settle(self) -> None:
        """Deliver everything, in order of arrival, until nothing is left to do."""
        while places := self.ready():
            waiting: dict[tuple[str, int], list[MemoryRecord]] = {}
            for place in places:
                waiting.setdefault((place.flow, place.partition), []).extend(self._groups.records(place))
            for (flow, partition), records in waiting.items():
                records.sort(key=lambda record: record.arrival)
                await self._apply(flow, partition, records[: self._max_batch])

    async def advance(self, milliseconds: int) -> None:
        """Move the clock on, stopping at every timer that comes due on the way."""
        end = self.now + milliseconds
        await self.settle()
        while (due := self._worker.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            try:
                await self._worker.fire_timers()
            except CrashError:
                await self._recover()
            await self.settle()
        self.now = end

    async def _apply(self, flow: str, partition: int, records: list[MemoryRecord]) -> None:
        try:
            positions = await self._worker.apply(flow, partition, records)
        except CrashError:
            await self._recover()
            return
        for topic in {record.topic for record in records}:
            self._groups.commit(Place(flow, topic, partition), positions[topic] + 1)

    # -- crashing ------------------------------------------------------------------------------------------

    def crash_at(self, step: Step, *, wipe: bool = False) -> None:
        """Kill the worker when it next reaches `step`; `wipe` loses its local state too."""
        self._crash.arm(step)
        self._wipe = wipe

    async def restart(self, *, wipe: bool = False, rewind: bool = False) -> None:
        """Start over from what is durable; `rewind` delivers all sources again from their beginning."""
        for (flow, partition), positions in (await self._worker.start(wipe=wipe)).items():
            for topic, offset in self._positions(flow, partition).items():
                # What left no trace in the changelog comes again now, as from a broker: not at some later
                # batch.
                applied = positions.get(topic, offset - 1) + 1
                self._groups.rewind(Place(flow, topic, partition), 0 if rewind else applied)

    def _positions(self, flow: str, partition: int) -> dict[str, int]:
        return {
            topic: offset
            for (topic, number), offset in self._groups.committed(flow).items()
            if number == partition
        }

    async def _recover(self) -> None:
        self.crashes += 1
        await self.restart(wipe=self._wipe)

    # -- looking -------------------------------------------------------------------------------------------

    def records(self, topic: Topic[Any] | RawTopic) -> list[MemoryRecord]:
        """Return all records of a topic as they lie, in order of arrival."""
        return [record for record in self.log.arrived if record.topic == topic.name]

    def events(self, topic: Topic[D]) -> list[Message[D]]:
        """Return all messages of a topic, decoded, in order of arrival."""
        return _decoded(topic, self.records(topic))

    def read(self, topic: Topic[D], group: str = "test") -> list[Message[D]]:
        """Return the messages that a consumer group has not read yet, and commit them for it."""
        return _decoded(topic, self._groups.poll(group, topic.name))

    def committed(self, group: str) -> Mapping[tuple[str, int], int]:
        """Return how far a consumer group has come: the next offset by topic and partition."""
        return self._groups.committed(group)

    def table(self, table: Table[S]) -> dict[str, S]:
        """Return a table's states by key, from all partitions; of their parts they know only the number."""
        found = self._worker.entries(table.name)
        return {key.decode(): table.decode(value) for key, value in found if is_state(key)}

    def parts(self, table: Table[Any]) -> dict[tuple[str, str], Any]:
        """Return the parts of a table's states by key and name."""
        return {
            (part[0].decode(), part[1]): table.decode_part(value)
            for key, value in self._worker.entries(table.name)
            if (part := split_part(key)) is not None
        }

    def dead_letters(self, domain: str) -> list[DeadLetter]:
        """Return the dead letters of a domain, in order of arrival."""
        return [
            DeadLetter(record.key, record.value, _text(record.headers))
            for record in self.records(dead_letters(domain))
        ]


def _text(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    return {name: (value or b"").decode(errors="backslashreplace") for name, value in headers}


def _decoded(topic: Topic[D], records: Iterable[MemoryRecord]) -> list[Message[D]]:
    return [decode(topic, record.value) for record in records if record.value is not None]
