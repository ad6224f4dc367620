"""What stock Faust loses, and that the mended parts do not: the mechanism of each, without a broker."""

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from faust.assignor.partition_assignor import PartitionAssignor
from faust.tables.recovery import Recovery
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from intervaltree import IntervalTree  # type: ignore[import-untyped] # it has no types
from mode.utils.queues import FlowControlEvent, FlowControlQueue

from streams.kernel.faust_mends import AppliedOffsetsConsumer, OwningAssignor, OwningRecovery

SOURCE = TP("source", 0)


class SeekingConsumer:
    """A consumer whose fetcher delivers whatever it can, as soon as the seek was answered."""

    def __init__(self, queue: "FlowControlQueue[str]") -> None:
        self.flow_active = True
        self.queue = queue
        self.waiting = ["first", "second"]
        self.assigned = {SOURCE}

    def assignment(self) -> set[TP]:
        return self.assigned

    def stop_flow(self) -> None:
        self.flow_active = False

    def resume_flow(self) -> None:
        self.flow_active = True

    def resume_partitions(self, _: Any) -> None:
        pass

    async def perform_seek(self) -> None:
        self.fetch()

    def fetch(self) -> None:
        if self.flow_active:
            for record in self.waiting:
                self.queue.put_nowait(record)
            self.waiting = []


def recovering(kind: type[Recovery]) -> tuple[Recovery, SeekingConsumer]:
    flow = FlowControlEvent(initially_suspended=True)
    queue: FlowControlQueue[str] = FlowControlQueue(flow_control=flow, clear_on_resume=True)
    consumer = SeekingConsumer(queue)
    app: Any = SimpleNamespace(
        consumer=consumer,
        flow_control=flow,
        conf=SimpleNamespace(stream_recovery_delay=0, broker_request_timeout=5),
        on_rebalance_complete=SimpleNamespace(send=AsyncMock()),
        consumer_generation_id=1,
        _fetcher=SimpleNamespace(maybe_start=AsyncMock()),
        assignor=SimpleNamespace(assigned_standbys=set[TP]),
        on_rebalance_end=Mock(),
        on_assigned=AsyncMock(),
        tracer=None,
    )
    tables: Any = Mock(changelog_topics=set())
    tables.values.return_value = []
    return kind(app, tables), consumer


@pytest.mark.parametrize(("kind", "lost"), [(Recovery, 2), (OwningRecovery, 0)])
async def test_records_fetched_at_the_end_of_recovery(kind: type[Recovery], lost: int) -> None:
    """faust-streaming#596: what is delivered between the seek and the resume is cleared by the resume."""
    recovery, consumer = recovering(kind)
    await recovery.on_recovery_completed(1)
    consumer.fetch()
    assert 2 - consumer.queue.qsize() == lost


CHANGELOG, FOLLOWED = TP("changelog", 0), TP("changelog", 1)


async def test_standbys_are_followed_and_not_owned() -> None:
    recovery, consumer = recovering(OwningRecovery)
    app: Any = recovery.app
    app.assignor.assigned_standbys = lambda: {FOLLOWED}
    recovery.tables.changelog_topics.add("changelog")
    consumer.assigned = {SOURCE, CHANGELOG, FOLLOWED}
    recovery.add_standby(Mock(), FOLLOWED)
    await recovery.on_recovery_completed(1)
    app.on_assigned.assert_awaited_once_with({CHANGELOG}, {FOLLOWED})
    assert recovery.standby_tps == set(), "Faust itself reads none"


def assignor(kind: type[PartitionAssignor]) -> PartitionAssignor:
    tables = SimpleNamespace(data={}, changelog_topics={"changelog"})
    app: Any = SimpleNamespace(
        tables=tables, tracer=None, sensors=Mock(), conf=SimpleNamespace(canonical_url="http://worker")
    )
    return kind(app, replicas=1)


def rebalance(members: dict[str, PartitionAssignor]) -> None:
    cluster: Any = Mock()
    cluster.partitions_for_topic.return_value = set(range(12))
    wanted = {name: member.metadata({"source", "changelog"}) for name, member in members.items()}
    for name, assignment in members["a"].assign(cluster, wanted).items():
        members[name].on_assignment(assignment)


@pytest.mark.parametrize(("kind", "all_warm"), [(PartitionAssignor, False), (OwningAssignor, True)])
def test_what_a_dead_worker_owned_goes_to_its_standbys(
    kind: type[PartitionAssignor], *, all_warm: bool
) -> None:
    members: dict[str, PartitionAssignor] = {}
    for name in "abcd":
        members[name] = assignor(kind)
        rebalance(members)
    before = {
        name: (member.assigned_actives(), member.assigned_standbys()) for name, member in members.items()
    }
    del members["d"]
    rebalance(members)
    warm = []
    for name, member in members.items():
        owned, followed = before[name]
        taken = member.assigned_actives() - owned
        warm += [TP("changelog", tp.partition) in followed for tp in taken]
    assert len(warm) == 2 * 3, "of both topics, a quarter"
    assert all(warm) == all_warm


def committing(kind: type[Consumer], applied: dict[TP, int]) -> tuple[Any, list[dict[TP, int]]]:
    """Return a consumer that had offsets 0 to 5 delivered and only 5 acknowledged, and what it commits."""
    committed: list[dict[TP, int]] = []

    async def commit_offsets(offsets: dict[TP, int], **_: Any) -> bool:
        committed.append(offsets)
        return True

    consumer: Any = kind.__new__(kind)
    consumer.app = Mock(applied=lambda: applied)
    consumer._acked = defaultdict(list, {SOURCE: [5]})
    consumer._acked_index = defaultdict(set, {SOURCE: {5}})
    consumer._gap = defaultdict(IntervalTree)
    consumer._committed_offset = defaultdict(lambda: None)
    consumer._commit_offsets = commit_offsets
    consumer._handle_attached = AsyncMock()
    consumer.diag = Mock()
    return consumer, committed


@pytest.mark.parametrize(
    ("kind", "applied", "commits"),
    [
        (Consumer, {}, [{SOURCE: 6}]),
        (AppliedOffsetsConsumer, {}, []),
        (AppliedOffsetsConsumer, {SOURCE: 3}, [{SOURCE: 3}]),
    ],
)
async def test_a_commit_while_earlier_records_are_in_flight(
    kind: type[Consumer], applied: dict[TP, int], commits: list[dict[TP, int]]
) -> None:
    """faust-streaming#606: 0 to 4 are in flight, 5 is acknowledged; a commit of 6 loses them in a crash."""
    consumer, committed = committing(kind, applied)
    await asyncio.wait_for(consumer.force_commit(), 5)
    assert committed == commits
