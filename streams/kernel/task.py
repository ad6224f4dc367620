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
import structlog

from streams.kernel.batch import Batch
from streams.kernel.flow import Flow
from streams.kernel.layout import (
    OUTBOX,
    decode_outbox,
    decode_position,
    encode_outbox,
    encode_position,
    position_key,
    topic_key,
)
from streams.kernel.ports import Changelog, Clock, Entry, Publisher, Record, Store
from streams.kernel.processor import Processor
from streams.kernel.sources import Sources, Standing
from streams.kernel.timers import Timers, timer_record
from streams.kernel.view import StateView
from topics.skips import NONE, Skips

S = TypeVar("S", bound=msgspec.Struct)

log = structlog.get_logger(__name__)

# The record batch's own framing, the positions and the outbox's framing have to fit beside the decisions.
RESERVED_BYTES = 64 * 1024
_SCAN_SLICE = 500


class PartitionTask(Generic[S]):
    """One partition of one flow: its state, its positions and its timers. One batch at a time.

    Call `open` first, then `apply` with records in order, and `arm_timers` beside it; a task whose `apply`
    raised is broken and must be dropped, because it no longer knows what is durable.

    `sources` are the source topics as they are now: one that was made anew since its position was stored is
    begun anew.
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
        sources: Sources = Sources(),  # noqa: B008 - it is frozen
        skips: Skips = NONE,
    ) -> None:
        self.flow = flow
        self.partition = partition
        self._store = store
        self._changelog = changelog
        self._publisher = publisher
        self._clock = clock
        self._view = StateView(flow.table, store)
        limit = flow.table.changelog.max_message_bytes or 1_000_000
        self._processor = Processor(flow, clock, limit - RESERVED_BYTES, skips)
        self._timers = Timers(flow)
        self._positions: dict[str, int] = {}
        self._unlogged: dict[str, int] = {}
        self._committable: dict[str, int] = {}
        self._sources = sources
        self._unlogged_ids: set[str] = set()
        self._anew: set[str] = set()
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

    @property
    def anew(self) -> frozenset[str]:
        """Sources that were made anew since the state was stored, to be read from their beginning."""
        return frozenset(self._anew)

    async def open(self) -> None:
        """Load the positions, and send the stored outputs again."""
        for route in self.flow.routes:
            self._load(route.topic.name)
        outbox = self._store.get(OUTBOX)
        if outbox is not None:
            await self._publisher.publish(decode_outbox(outbox))
            self._store.write([(OUTBOX, None)], None)
        if self._anew:
            # Beside it, that the outputs are out: they are those of the last batch alone.
            begun: list[Entry] = [(OUTBOX, None)]
            for topic in sorted(self._anew):
                begun += [(position_key(topic), None), (topic_key(topic), self._sources.ids[topic].encode())]
            self._store.write(begun, await self._changelog.append(begun))
            self._unlogged_ids -= self._anew
            self._outbox_logged = False

    def _load(self, topic: str) -> None:
        """Load a source's position, if it is one in the topic that has the name now."""
        stored, named = self._store.get(position_key(topic)), self._store.get(topic_key(topic))
        topic_id = named.decode() if named is not None else None
        if self._sources.ids.get(topic, topic_id) != topic_id:
            self._unlogged_ids.add(topic)
        if stored is None:
            return
        position = decode_position(stored)
        standing = self._sources.standing(topic, self.partition, position, topic_id)
        if standing is not Standing.GOOD:
            log.error(
                "source begins anew" if standing is Standing.ANEW else "source lost its end",
                flow=self.flow.name,
                topic=topic,
                partition=self.partition,
                applied=position,
                end=self._sources.ends.get((topic, self.partition)),
            )
        if standing is Standing.ANEW:
            self._anew.add(topic)
        else:
            self._positions[topic] = min(
                position, self._sources.ends.get((topic, self.partition), position + 1) - 1
            )

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
        named = self._unlogged_ids.intersection(positions)
        ids: list[Entry] = [(topic_key(topic), self._sources.ids[topic].encode()) for topic in sorted(named)]
        entries: list[Entry] = [*batch.changes, *applied, *ids]
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
        self._unlogged_ids -= named

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
