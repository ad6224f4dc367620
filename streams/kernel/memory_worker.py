"""The in-memory worker: every partition of every flow, its store, its changelog, and what a crash leaves."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from streams.kernel.flow import Flow
from streams.kernel.memory import CrashingStore, CrashPoint, MemoryChangelog, MemoryRecord
from streams.kernel.ports import Clock, Publisher
from streams.kernel.task import PartitionTask


class MemoryWorker:
    """Runs the tasks. `crash` is where it may die; what is durable then is all that `start` finds again."""

    def __init__(
        self,
        flows: Sequence[Flow[Any]],
        partitions: int,
        *,
        publisher: Publisher,
        clock: Clock,
        crash: CrashPoint,
    ) -> None:
        self._flows = {flow.name: flow for flow in flows}
        self._publisher = publisher
        self._clock = clock
        self._crash = crash
        self._stores: dict[tuple[str, int], CrashingStore] = {}
        self._changelogs = {
            (flow.name, partition): MemoryChangelog(crash)
            for flow in flows
            for partition in range(partitions)
        }
        self._tasks: dict[tuple[str, int], PartitionTask[Any]] = {}

    async def start(self, *, wipe: bool = False) -> Mapping[tuple[str, int], Mapping[str, int]]:
        """Restore every task from its changelog; `wipe` loses the stores first.

        Returns each task's applied position by source topic.
        """
        if wipe:
            self._stores.clear()
        for (name, partition), changelog in self._changelogs.items():
            store = self._stores.setdefault((name, partition), CrashingStore(self._crash))
            writer = changelog.writer()
            changelog.recover(store)
            self._tasks[name, partition] = PartitionTask(
                self._flows[name],
                partition,
                store=store,
                changelog=writer,
                publisher=self._publisher,
                clock=self._clock,
            )
        for task in self._tasks.values():
            await task.open()
            await task.arm_timers()
        return {place: task.positions for place, task in self._tasks.items()}

    async def apply(self, flow: str, partition: int, records: Sequence[MemoryRecord]) -> Mapping[str, int]:
        """Apply records to one task, batch by batch; return its position by source topic."""
        task = self._tasks[flow, partition]
        while records:
            batch = await task.apply(records)
            records = records[batch.consumed :]
        return task.positions

    def next_due(self) -> int | None:
        """Return when (ms) the earliest timer of any task is due, or None."""
        return min(
            (due for task in self._tasks.values() if (due := task.next_due()) is not None), default=None
        )

    async def fire_timers(self) -> None:
        """Let every task send the records of its timers that are due."""
        for task in list(self._tasks.values()):
            await task.fire_timers()

    def entries(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over what the stores of a table hold, the kernel's own entries included."""
        for (flow, _), store in self._stores.items():
            if self._flows[flow].table.name == table:
                yield from store.items()
