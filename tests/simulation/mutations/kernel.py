"""Planted bugs of the unit of work: what is written when, what is skipped, who may write."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from connectors.runtime.record import Record
from streams.kernel import task as task_module
from streams.kernel.batch import Batch
from streams.kernel.intake import Intake
from streams.kernel.layout import OUTBOX, decode_outbox
from streams.kernel.ownership import Place
from streams.kernel.ports import Clock, Entry, Output, Publisher
from streams.kernel.processor import Processor
from streams.kernel.task import PartitionTask
from tests.simulation.cluster import Cluster, Worker
from tests.simulation.durable import Changelog
from tests.simulation.effects import effect
from tests.simulation.lane import BrokerPublisher
from tests.simulation.mutations.mutation import Mutation
from tests.simulation.settings import Parts


class _OutputsFirst:
    """A changelog that publishes the outputs before it appends, and keeps none to send again."""

    def __init__(self, changelog: Any, publisher: Any) -> None:
        self._changelog = changelog
        self._publisher = publisher

    async def append(self, entries: Sequence[Entry]) -> int:
        outbox = dict(entries).get(OUTBOX)
        if outbox is not None:
            await self._publisher.publish(decode_outbox(outbox))
        offset: int = await self._changelog.append([entry for entry in entries if entry[0] != OUTBOX])
        return offset


class _TimersOnly:
    """A publisher of nothing but timers."""

    def __init__(self, publisher: Any, timer: str | None) -> None:
        self._publisher = publisher
        self._timer = timer

    async def publish(self, outputs: Sequence[Output]) -> None:
        await self._publisher.publish([output for output in outputs if output.topic == self._timer])


def outputs_first(flow: Any, partition: int, *, changelog: Any, publisher: Any, **rest: Any) -> Any:
    timer = None if flow.timer is None else flow.timer.name
    return PartitionTask(
        flow,
        partition,
        changelog=_OutputsFirst(changelog, publisher),
        publisher=_TimersOnly(publisher, timer),
        **rest,
    )


class _StoreFirst:
    """A changelog whose owner writes its local store before it appends."""

    def __init__(self, changelog: Any, store: Any) -> None:
        self._changelog = changelog
        self._store = store

    async def append(self, entries: Sequence[Entry]) -> int:
        self._store.write([entry for entry in entries if entry[0] != OUTBOX], None)
        offset: int = await self._changelog.append(entries)
        return offset


def store_first(flow: Any, partition: int, *, changelog: Any, store: Any, **rest: Any) -> Any:
    return PartitionTask(flow, partition, changelog=_StoreFirst(changelog, store), store=store, **rest)


class _Forgetful:
    """A store that does not know some of the kernel's keys when it is opened."""

    def __init__(self, store: Any, hidden: bytes) -> None:
        self._store = store
        self._hidden = hidden

    def get(self, key: bytes) -> bytes | None:
        value: bytes | None = None if key.startswith(self._hidden) else self._store.get(key)
        return value

    def write(self, entries: Sequence[Entry], offset: int | None) -> None:
        self._store.write(entries, offset)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self._store.items()


def no_positions(flow: Any, partition: int, *, store: Any, **rest: Any) -> Any:
    return PartitionTask(flow, partition, store=_Forgetful(store, b"\x00position"), **rest)


def no_resend(flow: Any, partition: int, *, store: Any, **rest: Any) -> Any:
    return PartitionTask(flow, partition, store=_Forgetful(store, OUTBOX), **rest)


def positions_by_name(flow: Any, partition: int, *, sources: Any, **rest: Any) -> Any:
    del sources
    return PartitionTask(flow, partition, **rest)


class _FirstSliceOnly(PartitionTask[Any]):
    """A task that arms no more timers than fit into one slice of its scan."""

    async def arm_timers(self) -> None:
        changed = self._changed
        if self.flow.due is not None and changed is not None:
            for key, state in itertools.islice(self._view.scan(), task_module._SCAN_SLICE):
                if key not in changed:
                    self._timers.update(((key, state),))
        self._changed = None


class _StoreBeforeOutputs(PartitionTask[Any]):
    """A task that writes its local store, with its new offset, before the outputs are sent."""

    async def _commit(self, batch: Batch) -> None:
        publisher, outputs = self._publisher, batch.outputs
        self._publisher = _TimersOnly(publisher, None)
        await super()._commit(batch)
        self._publisher = publisher
        await publisher.publish(outputs)


class _OutboxKept(PartitionTask[Any]):
    """A task that leaves the last outbox in the changelog when a batch has no outputs."""

    async def _commit(self, batch: Batch) -> None:
        self._outbox_logged = False
        await super()._commit(batch)


_run = Processor.run


def _rest_dropped(self: Any, records: Any, view: Any, positions: Any) -> Batch:
    batch = _run(self, records, view, positions)
    if batch.retry_in is None:
        batch.consumed = len(records)
    return batch


class _Unfenced(Changelog):
    def accepts(self, epoch: int) -> bool:
        del epoch
        return True


class _CommitsFetched(Cluster):
    def applied(self, worker: Worker) -> dict[tuple[str, int], int]:
        return {
            place: offset for lane in worker.lanes.values() for place, offset in lane.inbox.cursors.items()
        }


class _CommitsTheLast(Cluster):
    def applied(self, worker: Worker) -> dict[tuple[str, int], int]:
        return {
            (topic, place.partition): offset + 1
            for place, lane in worker.lanes.items()
            for topic, offset in _committable(lane.task).items()
        }


class _HandsOverFirst(BrokerPublisher):
    """Hands over what it is about to send, under the offsets that it expects."""

    async def publish(self, outputs: Sequence[Output]) -> None:
        now = self._clock()
        expected: dict[tuple[str, int], list[Record]] = {}
        for output in outputs:
            place = (output.topic, self._broker.partition_of(output.topic, output.key))
            before = expected.setdefault(place, [])
            offset = len(self._broker.log(place)) + len(before)
            before.append(Record(*place, offset, now, output.key, output.value, output.headers))
        for records in expected.values():
            self._hand_over(records)
        await effect("outputs: handed over")
        hand_over, self._hand_over = self._hand_over, lambda _: None
        await super().publish(outputs)
        self._hand_over = hand_over


class _SendsLater(Cluster):
    def publisher(self, worker: Worker, clock: Clock) -> Publisher:
        return _HandsOverFirst(self.scene.broker, clock, partial(self._hand_over, worker))


class _KeepsIntakes(Cluster):
    """A worker whose lanes go on with what those before them had taken, whether or not it was applied."""

    def _own(self, worker: Worker, place: Place) -> None:
        super()._own(worker, place)
        kept: dict[Any, Any] = worker.__dict__.setdefault("intakes", {})
        lane = worker.lanes[place]
        lane.intake = kept.setdefault(place, lane.intake)


def _whatever_lies_between(self: Intake, topic: str, first: int, count: int) -> bool:
    if first < self._next.get(topic, 0):
        return False
    self._next[topic] = first + count
    return True


def _all(self: Intake, records: Sequence[Any]) -> Sequence[Any]:
    if records:
        self._next[records[0].topic] = max(records[-1].offset + 1, self._next.get(records[0].topic, 0))
    return records


def _by_first_positions(self: Any, records: Any, view: Any, positions: Any) -> Batch:
    known = self.__dict__.setdefault("_known", dict(positions))
    return _run(self, records, view, known)


def _committable(task: Any) -> Mapping[str, int]:
    found: Mapping[str, int] = task.committable
    return found


KERNEL: tuple[Mutation, ...] = (
    Mutation(
        "outputs-before-changelog",
        "streams/kernel",
        "outputs are sent before the decision is durable: a crash between decides again, otherwise",
        Parts(task=outputs_first),
    ),
    Mutation(
        "store-before-changelog",
        "streams/kernel",
        "the local store is written before the changelog: a crash between keeps what nobody else knows",
        Parts(task=store_first),
    ),
    Mutation(
        "no-duplicate-check",
        "streams/kernel",
        "applied positions are not read at a start: records are decided a second time",
        Parts(task=no_positions),
    ),
    Mutation(
        "positions-kept-by-name",
        "streams/kernel",
        "a topic that is deleted and made anew is read on at the old position: what comes before it is lost",
        Parts(task=positions_by_name),
    ),
    Mutation(
        "outputs-not-sent-again",
        "streams/kernel",
        "a new owner does not send the stored outputs: those of a crash are lost",
        Parts(task=no_resend),
    ),
    Mutation(
        "no-fence",
        "streams/kernel",
        "the changelog takes batches of an owner of the past",
        Parts(changelog=_Unfenced),
    ),
    Mutation(
        "commit-what-is-fetched",
        "streams/kernel",
        "offsets are committed when records are fetched, not when they are applied",
        Parts(cluster=_CommitsFetched),
    ),
    Mutation(
        "commit-the-faster-flow",
        "streams/kernel",
        "a topic that two flows read is committed as far as one of them is",
        Parts(cluster=_CommitsTheLast),
    ),
    Mutation(
        "arm-the-first-slice",
        "streams/kernel",
        "after a start only the first slice of the stored states gets its timers",
        Parts(task=_FirstSliceOnly),
    ),
    Mutation(
        "drop-behind-a-full-batch",
        "streams/kernel",
        "a batch that is closed early for its size drops the records behind it",
        Parts(),
        ((Processor, "run", _rest_dropped),),
    ),
    Mutation(
        "store-before-outputs",
        "streams/kernel",
        "the local store is written before the outputs are sent: a crash between sends them never",
        Parts(task=_StoreBeforeOutputs),
    ),
    Mutation(
        "outbox-kept",
        "streams/kernel",
        "a batch without outputs leaves those of an earlier batch to be sent again",
        Parts(task=_OutboxKept),
    ),
    Mutation(
        "hand-over-before-the-answer",
        "streams/kernel",
        "outputs are handed over before the broker has them: what comes to lie at their offsets is lost",
        Parts(cluster=_SendsLater),
    ),
    Mutation(
        "hand-over-and-fetch",
        "streams/kernel",
        "what was handed over is applied again when it is fetched: neither lane nor task looks where it is",
        Parts(),
        ((Intake, "fetched", _all), (Processor, "run", _by_first_positions)),
    ),
    Mutation(
        "hand-over-out-of-order",
        "streams/kernel",
        "what is handed over is taken ahead of what lies before it: that is lost",
        Parts(),
        ((Intake, "handed", _whatever_lies_between),),
    ),
    Mutation(
        "hand-over-kept-across-a-rebalance",
        "streams/kernel",
        "a new lane believes what the lane before it had taken, and had not applied",
        Parts(cluster=_KeepsIntakes),
    ),
)
