"""Feeding a partition, handing it over in the middle of a batch, and failing loudly."""

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from schemas.service import TimerDue
from streams.kernel import lane as lane_module
from streams.kernel.intake import Handed
from streams.kernel.lane import MAX_BATCH, Lane
from streams.kernel.layout import position_key
from streams.kernel.memory import CrashingStore, CrashPoint, MemoryChangelog, MemoryRecord
from streams.kernel.meters import Meters
from streams.kernel.ownership import Ownership, Place, Possession
from streams.kernel.ports import Content, Output
from streams.kernel.task import PartitionTask
from tests.eventually import eventually_async, eventually_seen
from tests.topology.kernel.toy import COUNTS, FLOW, Count, pieces
from topics.command import command
from topics.registry import CART_ADD, CART_DUE, CART_UPDATED
from topics.wire import encode

VALUE = encode(CART_ADD, command(CART_ADD, "c", pieces(1)))


def records(first: int, count: int) -> list[MemoryRecord]:
    return [
        MemoryRecord(CART_ADD.name, 0, offset, b"c", VALUE, (), 0, offset)
        for offset in range(first, first + count)
    ]


class GatedPublisher:
    """Publishes once its gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked = asyncio.Event()
        self.published: list[Output] = []

    async def publish(self, outputs: Sequence[Output]) -> None:
        self.asked.set()
        await self.gate.wait()
        self.published += outputs


class Bench:
    """One partition with its parts in reach."""

    def __init__(self) -> None:
        crash = CrashPoint()
        self.store = CrashingStore(crash)
        self.changelog = MemoryChangelog(crash)
        self.publisher = GatedPublisher()
        self.registry = CollectorRegistry()
        self.meters = Meters(self.registry)
        self.failures: list[Exception] = []

    def lane(self) -> Lane:
        self.changelog.recover(self.store)
        task = PartitionTask(
            FLOW,
            0,
            store=self.store,
            changelog=self.changelog.writer(),
            publisher=self.publisher,
            clock=lambda: 0,
        )
        return Lane(task, self.meters, self.failures.append)

    def ownership(self) -> Ownership:
        async def take_over(places: Sequence[Place]) -> dict[Place, Possession]:
            self.changelog.recover(self.store)
            return {place: Possession(self.store, self.changelog.writer()) for place in places}

        return Ownership(
            [FLOW],
            takeover=take_over,
            publisher=self.publisher,
            clock=lambda: 0,
            meters=self.meters,
            failed=self.failures.append,
        )

    def counted(self, name: str) -> float:
        value = self.registry.get_sample_value(f"ecommerce_stream_{name}", {"flow": "toy"})
        assert value is not None
        return value


async def test_what_arrives_while_a_batch_is_in_flight_becomes_the_next_batch() -> None:
    bench = Bench()
    lane = bench.lane()
    await lane.task.open()
    lane.start()
    lane.put(records(0, 1))
    await bench.publisher.asked.wait()
    lane.put(records(1, 10))
    lane.put(records(11, 10))
    bench.publisher.gate.set()
    await lane.drained_below(1)
    assert bench.counted("batches_total") == 2
    assert bench.counted("records_total") == 21
    await lane.close(1)
    assert lane.task.positions == {CART_ADD.name: 20}


async def test_a_batch_is_bounded() -> None:
    bench = Bench()
    bench.publisher.gate.set()
    lane = bench.lane()
    lane.put(records(0, MAX_BATCH + 1))
    lane.start()
    await lane.drained_below(1)
    assert bench.counted("batches_total") >= 2
    await lane.close(1)


async def test_a_handover_waits_for_the_batch_in_flight_and_drops_the_rest() -> None:
    bench = Bench()
    lane = bench.lane()
    lane.start()
    lane.put(records(0, 1))
    await bench.publisher.asked.wait()
    lane.put(records(1, 5))
    closing = asyncio.create_task(lane.close(5))
    await asyncio.sleep(0)
    bench.publisher.gate.set()
    await closing
    assert lane.task.positions == {CART_ADD.name: 0}
    lane.put(records(1, 5))
    assert bench.counted("records_total") == 1


async def test_a_batch_that_does_not_end_in_time_is_taken_up_by_the_next_owner() -> None:
    bench = Bench()
    lane = bench.lane()
    lane.start()
    lane.put(records(0, 3))
    await bench.publisher.asked.wait()
    await lane.close(0.01)
    assert bench.store.get(position_key(CART_ADD.name)) is None
    assert bench.publisher.published == []
    bench.publisher.gate.set()
    successor = bench.lane()
    await successor.task.open()
    assert len(bench.publisher.published) == 3
    assert successor.task.positions == {CART_ADD.name: 2}
    batch = await successor.task.apply(records(0, 3))
    assert (batch.skipped, batch.decided) == (3, 0)
    assert successor.task.committable == {CART_ADD.name: 2}


async def test_a_stored_position_is_not_committed_before_records_came() -> None:
    """The group may stand further on: batches that decide nothing move its offset, not the changelog."""
    bench = Bench()
    bench.publisher.gate.set()
    first = bench.lane()
    await first.task.open()
    await first.task.apply(records(0, 3))
    successor = bench.lane()
    await successor.task.open()
    assert successor.task.positions == {CART_ADD.name: 2}
    assert successor.task.committable == {}


async def test_timers_are_armed_beside_the_work_and_the_newer_wish_holds() -> None:
    bench = Bench()
    bench.publisher.gate.set()
    many = [(b"k%d" % number, COUNTS.encode(Count(1, 1, 10))) for number in range(1_000)]
    stale = COUNTS.encode(Count(1, 1, 5))
    bench.store.restore([*many, (b"c", stale)], None)
    task = bench.lane().task
    await task.open()
    arming = asyncio.create_task(task.arm_timers())
    await asyncio.sleep(0)
    assert task.next_due() == 10
    await task.apply(records(0, 1))
    await arming
    assert task.next_due() == 10


async def test_a_state_that_does_not_decode_ends_the_worker_when_its_timer_is_sought() -> None:
    bench = Bench()
    bench.store.restore([(b"c", b"\xc1")], None)
    lane = bench.lane()
    lane.start()
    await eventually_async(lambda: asyncio.sleep(0, len(bench.failures)), lambda count: count == 1)
    assert [type(error).__name__ for error in bench.failures] == ["CorruptStateError"]
    await lane.close(1)


async def test_a_predecessor_that_goes_on_fails_and_says_so() -> None:
    bench = Bench()
    bench.publisher.gate.set()
    zombie = bench.lane()
    bench.lane()
    zombie.start()
    zombie.put(records(0, 1))
    await zombie.drained_below(1)
    assert [type(error).__name__ for error in bench.failures] == ["OwnershipLostError"]
    assert bench.publisher.published == []
    await zombie.close(1)


async def test_an_assignment_replaces_the_one_before() -> None:
    bench = Bench()
    bench.publisher.gate.set()
    ownership = bench.ownership()
    await ownership.assign([Place("toy", 0)])
    assert bench.counted("partitions") == 1
    lane = ownership.lane("toy", 0)
    assert lane is not None
    lane.put(records(0, 4))
    await lane.drained_below(1)
    assert ownership.applied() == {(CART_ADD.name, 0): 4}
    await ownership.assign([Place("toy", 0)])
    successor = ownership.lane("toy", 0)
    assert successor is not None
    assert successor is not lane
    assert ownership.applied() == {}
    successor.put(records(2, 4))
    await successor.drained_below(1)
    assert await ownership.revoke() == {(CART_ADD.name, 0): 6}
    assert (ownership.owned, ownership.lane("toy", 0), bench.counted("partitions")) == (0, None, 0)


async def test_what_was_sent_is_handed_to_the_lane_that_reads_it() -> None:
    bench = Bench()
    bench.publisher.gate.set()
    ownership = bench.ownership()
    place = (CART_DUE.name, 0)
    content: list[Content] = [(b"c", encode(CART_DUE, command(CART_DUE, "c", TimerDue(5))), ())] * 2

    def fetched(first: int, count: int) -> list[Handed]:
        return [Handed(CART_DUE.name, 0, offset, *content[0]) for offset in range(first, first + count)]

    await ownership.assign([Place("toy", 0)])
    lane = ownership.lane("toy", 0)
    assert lane is not None
    assert ownership.fed() == {place: 0}, "nobody but the flow sends to it"
    ownership.hand_over(*place, 4, content)
    assert (lane.backlog, ownership.fed()) == (0, {}), "where the lane stands is not known yet"
    lane.put(fetched(0, 6))
    ownership.hand_over(*place, 6, content)
    assert ownership.fed() == {place: 8}
    await lane.drained_below(1)
    assert ownership.applied() == {place: 8}
    lane.put(fetched(5, 3))
    ownership.hand_over(*place, 9, content)
    assert (lane.backlog, ownership.fed()) == (0, {}), "none is taken twice, and 8 is to be fetched"
    lane.put(fetched(8, 3))
    ownership.hand_over(*place, 9, content)
    assert (lane.backlog, ownership.fed()) == (3, {place: 11}), "the fetch was ahead of the answer"
    ownership.hand_over(*place, 11, content)
    assert ownership.fed() == {place: 13}
    ownership.hand_over(CART_UPDATED.name, 0, 0, content)
    await ownership.assign([Place("toy", 0)])
    assert ownership.fed() == {place: 0}
    ownership.hand_over(*place, 13, content)
    assert ownership.fed() == {}, "a new lane does not know what the lane before it had taken"
    await ownership.assign([Place("toy", 0)])
    ownership.begin({place: 13, ("other", 0): 4})
    ownership.hand_over(*place, 13, content)
    assert ownership.fed() == {place: 15}, "unless it is told where the fetch begins"
    await ownership.revoke()
    ownership.begin({place: 15})
    ownership.hand_over(*place, 15, content)
    assert ownership.fed() == {}


async def test_what_others_send_to_as_well_is_handed_over_and_fetched() -> None:
    bench = Bench()
    bench.publisher.gate.set()
    ownership = bench.ownership()
    await ownership.assign([Place("toy", 0)])
    lane = ownership.lane("toy", 0)
    assert lane is not None
    lane.put(records(0, 1))
    ownership.hand_over(CART_ADD.name, 0, 1, [(b"c", VALUE, ())])
    assert lane.backlog == 2
    assert (CART_ADD.name, 0) not in ownership.fed()
    lane.put(records(1, 2))
    assert lane.backlog == 3
    await lane.drained_below(1)
    assert bench.counted("records_total") == 3
    await ownership.revoke()


async def test_a_lane_behind_is_handed_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_module, "MOST_HANDED", 2)
    lane = Bench().lane()
    lane.put(records(0, 2))
    assert not lane.hand(records(2, 1))
    assert lane.backlog == 2
    await lane.close(1)
    assert not lane.hand(records(2, 1))


async def test_timers_are_fired_as_they_come_due() -> None:
    bench = Bench()
    bench.publisher.gate.set()
    bench.store.restore([(b"c", FLOW.table.encode(Count(1, 1, due_at=5)))], 0)

    async def take_over(places: Sequence[Place]) -> dict[Place, Possession]:
        return {place: Possession(bench.store, bench.changelog.writer()) for place in places}

    ownership = Ownership(
        [FLOW],
        takeover=take_over,
        publisher=bench.publisher,
        clock=lambda: 5,
        meters=bench.meters,
        failed=bench.failures.append,
    )
    await ownership.assign([Place("toy", 0)])
    running = asyncio.create_task(ownership.run_timers())
    await asyncio.wait_for(bench.publisher.asked.wait(), 5)
    running.cancel()
    await ownership.revoke()
    assert [output.key for output in bench.publisher.published] == [b"c"]


async def test_outputs_that_are_long_out_are_not_sent_again_by_a_later_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lane_module, "REST_S", 0.01)
    bench = Bench()
    bench.publisher.gate.set()
    lane = bench.lane()
    await lane.task.open()
    lane.start()
    lane.put(records(0, 1))
    await eventually_seen(lambda: bool(bench.publisher.published) and not lane.task.repeats)
    sent = list(bench.publisher.published)
    await lane.close(1)
    bench.store = CrashingStore(CrashPoint())
    successor = bench.lane()
    await successor.task.open()
    assert successor.task.positions == {CART_ADD.name: 0}
    assert bench.publisher.published == sent
