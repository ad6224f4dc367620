"""What one record does to one key of one flow: the real unit of work, carried out once per distinct case.

A partition holds one key here, which allows every interleaving that any number of partitions would.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from connectors.runtime.record import Record
from streams.kernel.flow import Flow
from streams.kernel.layout import OUTBOX, position_key
from streams.kernel.memory import MemoryStore
from streams.kernel.ports import Entry, Output
from streams.kernel.task import PartitionTask
from tests.simulation.effects import finished
from tests.simulation.scene import START_MS

_POSITIONS = position_key("")

Entries = tuple[tuple[bytes, bytes], ...]
"""What a store holds, without positions: what was read before does not change what will be decided."""


class Said(NamedTuple):
    """A record that waits to be read."""

    topic: str
    key: bytes
    value: bytes


@dataclass(frozen=True)
class Effects:
    """What a unit of work came to: the store after it, and its outputs by destination."""

    entries: Entries
    outputs: tuple[tuple[Said, ...], ...]
    due: int | None


class _Captured:
    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.outputs: list[Output] = []

    async def append(self, entries: Sequence[Entry]) -> int:
        self.entries += entries
        return 0

    async def publish(self, outputs: Sequence[Output]) -> None:
        self.outputs += outputs


def decided(flow: Flow[Any], entries: Entries, said: Said) -> Effects:
    """Carry out the real unit of work over one record."""
    task, disk, captured = _opened(flow, entries)
    finished(task.apply([Record(said.topic, 0, 0, START_MS, said.key, said.value)]))
    after = tuple(
        sorted(
            (key, value)
            for key, value in disk.entries.items()
            if not key.startswith(_POSITIONS) and key != OUTBOX
        )
    )
    return Effects(after, _by_destination(captured.outputs), task.next_due())


def fired(flow: Flow[Any], entries: Entries) -> tuple[Said, ...]:
    """Return what the flow's timer says for the key, whenever its time comes."""
    task, _, captured = _opened(flow, entries, now=2**53)
    finished(task.fire_timers())
    return tuple(_said(output) for output in captured.outputs)


def _opened(
    flow: Flow[Any], entries: Entries, now: int = START_MS
) -> tuple[PartitionTask[Any], MemoryStore, _Captured]:
    disk, captured = MemoryStore(), _Captured()
    disk.entries = dict(entries)
    task = PartitionTask(flow, 0, store=disk, changelog=captured, publisher=captured, clock=lambda: now)
    finished(task.open())
    finished(task.arm_timers())
    return task, disk, captured


def _by_destination(outputs: Sequence[Output]) -> tuple[tuple[Said, ...], ...]:
    batches: dict[tuple[str, bytes | None], list[Said]] = {}
    for output in outputs:
        batches.setdefault((output.topic, output.key), []).append(_said(output))
    return tuple(tuple(batch) for batch in batches.values())


def _said(output: Output) -> Said:
    assert output.key is not None
    assert output.value is not None
    return Said(output.topic, output.key, output.value)
