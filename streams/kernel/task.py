"""The unit of work: one partition's micro-batch, decided durably, then published.

The order is the point (docs/adr/0002-decide-durably-then-publish.md):
1. one changelog record batch {last value per changed key, applied positions, the outputs themselves};
2. the outputs, when the broker has the changelog batch;
3. the local store, at once with the changelog offset;
4. the positions, up to which the sources may be committed.
After a crash between 1 and 2 the stored outputs are sent again, byte for byte, and nothing is decided twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from streams.kernel.batch import Batch
from streams.kernel.flow import Flow
from streams.kernel.layout import (
    OUTBOX,
    decode_outbox,
    decode_position,
    encode_outbox,
    encode_position,
    position_key,
)
from streams.kernel.ports import Changelog, Clock, Entry, Publisher, Record, Store
from streams.kernel.processor import Processor
from streams.kernel.timers import Timers, timer_record
from streams.kernel.view import StateView

S = TypeVar("S", bound=msgspec.Struct)

# The record batch's own framing, the positions and the outbox's framing have to fit beside the decisions.
RESERVED_BYTES = 64 * 1024
_SCAN_SLICE = 500


class PartitionTask(Generic[S]):
    """One partition of one flow: its state, its positions and its timers. One batch at a time.

    Call `open` first, then `apply` with records in order, and `arm_timers` beside it; a task whose `apply`
    raised is broken and must be dropped, because it no longer knows what is durable.
    """

    def __init__(
        self,
        flow: Flow[S],
        partition: int,
        *,
        store: Store,
        changelog: Changelog,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self.flow = flow
        self.partition = partition
        self._store = store
        self._changelog = changelog
        self._publisher = publisher
        self._clock = clock
        self._view = StateView(flow.table, store)
        limit = flow.table.changelog.max_message_bytes or 1_000_000
        self._processor = Processor(flow, clock, limit - RESERVED_BYTES)
        self._timers = Timers(flow)
        self._positions: dict[str, int] = {}
        self._unlogged: dict[str, int] = {}
        self._committable: dict[str, int] = {}
        self._outbox_logged = True
        # What was changed since the task was opened, until all timers are armed: a scan sees older states.
        self._changed: set[bytes] | None = set()

    @property
    def positions(self) -> Mapping[str, int]:
        """Offset of the last applied record per source topic, as far as this task knows."""
        return self._positions

    @property
    def committable(self) -> Mapping[str, int]:
        """Offset of the last applied record, of the source topics that this task was given records of.

        A stored position says nothing of what to commit: batches that decided nothing move the group's
        offset and not the changelog, so the group may stand further on.
        """
        return self._committable

    @property
    def repeats(self) -> bool:
        """Whether the changelog holds outputs, which the partition's next owner would send again."""
        return self._outbox_logged

    async def open(self) -> None:
        """Load the positions, and send the stored outputs again."""
        for route in self.flow.routes:
            stored = self._store.get(position_key(route.topic.name))
            if stored is not None:
                self._positions[route.topic.name] = decode_position(stored)
        outbox = self._store.get(OUTBOX)
        if outbox is not None:
            await self._publisher.publish(decode_outbox(outbox))
            self._store.write([(OUTBOX, None)], None)

    async def arm_timers(self) -> None:
        """Arm the stored states' timers, once, beside `apply`: a million of them take seconds.

        Raises CorruptStateError.
        """
        changed = self._changed
        if self.flow.due is not None and changed is not None:
            for count, (key, state) in enumerate(self._view.scan(), 1):
                if key not in changed:
                    self._timers.update(((key, state),))
                if count % _SCAN_SLICE == 0:
                    await asyncio.sleep(0)
        self._changed = None

    async def apply(self, records: Sequence[Record]) -> Batch:
        """Carry out one unit of work over `records` from the front; the batch says how far it came."""
        batch = self._processor.run(records, self._view, self._positions)
        if batch.durable:
            await self._commit(batch)
        else:
            # Nothing was decided, so nothing is lost if these records are looked at again.
            self._unlogged.update(batch.positions)
        self._positions.update(batch.positions)
        given = {record.topic for record in records[: batch.consumed]} if batch.skipped else batch.positions
        self._committable.update((topic, self._positions[topic]) for topic in given)
        settled = self._view.settle()
        if self._changed is not None:
            self._changed.update(settled)
        self._timers.update(settled.items())
        return batch

    async def _commit(self, batch: Batch) -> None:
        positions = {**self._unlogged, **batch.positions}
        applied = [(position_key(topic), encode_position(offset)) for topic, offset in positions.items()]
        entries: list[Entry] = [*batch.changes, *applied]
        if batch.outputs:
            outbox: list[Entry] = [(OUTBOX, encode_outbox(batch.outputs))]
        else:
            outbox = [(OUTBOX, None)] if self._outbox_logged else []
        offset = await self._changelog.append([*entries, *outbox])
        self._outbox_logged = bool(batch.outputs)
        if batch.outputs:
            await self._publisher.publish(batch.outputs)
        self._store.write(entries, offset)
        self._unlogged.clear()

    async def forget_outputs(self) -> None:
        """Take the last batch's outputs, which are out, from the changelog, while nothing else is under way.

        Whoever reads them knows a repetition for a limited time only: a partition at which nothing happens
        would have its next owner repeat them days later.
        """
        offset = await self._changelog.append([(OUTBOX, None)])
        self._store.write([], offset)
        self._outbox_logged = False

    def next_due(self) -> int | None:
        """Return when (ms) the earliest timer is due, or None."""
        return self._timers.next_due()

    async def fire_timers(self) -> int:
        """Send a record for every timer that is due; it decides nothing here. Returns how many."""
        topic = self.flow.timer
        now = self._clock()
        if topic is None or not (taken := list(self._timers.take(now))):
            return 0
        try:
            await self._publisher.publish(
                [timer_record(self.flow.name, topic, due, key, now) for due, key in taken]
            )
        except BaseException:
            self._timers.put_back(taken)
            raise
        return len(taken)
