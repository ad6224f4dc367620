"""How a domain's tests look, and what the kernel promises them."""

import time

import pytest
from aiokafka.partitioner import DefaultPartitioner

from schemas.cart import CartAbsorb, CartChange, CartClear, CartRemove
from schemas.envelope import output_id
from streams.kernel.driver import Driver, Place
from streams.kernel.memory import Step
from tests.topology.kernel.toy import COUNTS, FLOW, IDLE_MS, Flaky, pieces
from topics.registry import (
    CART_ABANDONED,
    CART_ABSORB,
    CART_ADD,
    CART_CHANGE,
    CART_CLEAR,
    CART_DUE,
    CART_REMOVE,
    CART_UPDATED,
)


async def test_outputs_carry_an_envelope_derived_from_their_cause() -> None:
    async with Driver(FLOW) as driver:
        sent = await driver.send(
            CART_ADD, "c1", pieces(3), user_id="u1", headers=(("traceparent", b"00-abc"), ("other", b"x"))
        )
        (updated,) = driver.events(CART_UPDATED)
        record = next(record for record in driver.log.arrived if record.topic == CART_UPDATED.name)
    assert updated.event_id == output_id(sent.event_id, CART_UPDATED.name, 0)
    assert updated.event_type == CART_UPDATED.name
    assert (updated.aggregate_type, updated.aggregate_id, updated.aggregate_version) == ("cart", "c1", 1)
    assert (updated.causation_id, updated.correlation_id) == (sent.event_id, sent.correlation_id)
    assert (updated.user_id, updated.source, updated.occurred_at) == ("u1", "toy", driver.now)
    assert record.headers == (("traceparent", b"00-abc"),)


async def test_state_is_kept_by_key_and_deleted_by_none() -> None:
    async with Driver(FLOW) as driver:
        for count in (1, 2):
            await driver.send(CART_ADD, "c1", pieces(count))
        await driver.send(CART_ADD, "c2", pieces(5))
        assert {key: count.pieces for key, count in driver.table(COUNTS).items()} == {"c1": 3, "c2": 5}
        await driver.send(CART_CLEAR, "c1", CartClear())
        assert set(driver.table(COUNTS)) == {"c2"}


@pytest.mark.parametrize(
    ("key", "value", "reason", "error"),
    [
        (b"c1", b"\x01garbage", "undecodable", "magic byte is 1"),
        (b"c1", b"\x00\x00\x00\xff\xff..", "undecodable", "schema id 65535 is not in the registry"),
        (b"c1", None, "missing_part", "no value"),
        (None, b"\x00", "missing_part", "no key"),
    ],
)
async def test_bad_bytes_become_a_dead_letter_and_the_rest_goes_on(
    key: bytes | None, value: bytes | None, reason: str, error: str
) -> None:
    async with Driver(FLOW) as driver:
        await driver.send_raw(CART_ADD.name, key, value, settle=False)
        await driver.send(CART_ADD, "c1", pieces(1))
        (letter,) = driver.dead_letters("cart")
        assert driver.table(COUNTS)["c1"].pieces == 1
    assert (letter.key, letter.value) == (key, value)
    assert letter.headers["reason"] == reason
    assert error in letter.headers["error"]
    assert letter.headers["source_topic"] == CART_ADD.name
    assert letter.headers["source_offset"] == "0"
    assert letter.headers["consumer"] == "toy"
    assert letter.headers["failed_at"] == str(driver.now)


async def test_a_handler_that_raises_or_breaks_its_route_is_dead_lettered_with_its_stack() -> None:
    async with Driver(FLOW) as driver:
        await driver.send(CART_REMOVE, "c1", CartRemove("line"))
        await driver.send(CART_ABSORB, "c1", CartAbsorb("c0", ()))
        raised, undeclared = driver.dead_letters("cart")
    assert raised.headers["reason"] == "zero_division"
    assert "in remove" in raised.headers["stack"]
    assert undeclared.headers["reason"] == "undeclared_output"
    assert driver.events(CART_ABANDONED) == []


async def test_a_transient_error_is_tried_again_and_given_up_in_the_end() -> None:
    async with Driver(FLOW) as driver:
        Flaky.times = 3
        await driver.send(CART_CHANGE, "c1", CartChange("line", 1))
        assert driver.dead_letters("cart") == []
        Flaky.times = 1_000
        await driver.send(CART_CHANGE, "c1", CartChange("line", 1))
        Flaky.times = 0
        (letter,) = driver.dead_letters("cart")
    assert (letter.headers["reason"], letter.headers["attempt"]) == ("transient", "5")


async def test_a_timer_comes_back_as_a_record_once() -> None:
    async with Driver(FLOW) as driver:
        await driver.send(CART_ADD, "c1", pieces(1))
        await driver.advance(IDLE_MS - 1)
        assert driver.events(CART_DUE) == []
        await driver.send(CART_ADD, "c1", pieces(1))
        await driver.advance(1)
        assert driver.events(CART_DUE) == []
        await driver.advance(10 * IDLE_MS)
        assert len(driver.events(CART_DUE)) == 1
        assert len(driver.events(CART_ABANDONED)) == 1
        assert driver.table(COUNTS)["c1"].due_at is None


async def test_a_timer_that_was_armed_before_a_restart_fires_after_it() -> None:
    async with Driver(FLOW) as driver:
        await driver.send(CART_ADD, "c1", pieces(1))
        await driver.restart(wipe=True)
        await driver.advance(IDLE_MS)
        assert len(driver.events(CART_ABANDONED)) == 1


@pytest.mark.parametrize("wipe", [False, True])
@pytest.mark.parametrize("step", list(Step))
async def test_a_crash_at_any_step_repeats_outputs_but_never_contradicts_them(
    step: Step,
    wipe: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    async with Driver(FLOW) as driver:
        await driver.send(CART_ADD, "c1", pieces(1))
        driver.crash_at(step, wipe=wipe)
        for count in range(2, 6):
            await driver.send(CART_ADD, "c1", pieces(count), settle=False)
        await driver.settle()
        assert driver.crashes == 1
        assert driver.table(COUNTS)["c1"].pieces == 15
        events = driver.events(CART_UPDATED)
    by_id = {event.event_id: event for event in events}
    assert [event.data.lines[0].quantity for event in by_id.values()] == [1, 3, 6, 10, 15]
    assert all(by_id[event.event_id] == event for event in events)


@pytest.mark.parametrize("step", list(Step))
async def test_topics_that_interleave_otherwise_after_a_crash_cannot_contradict_what_is_out(
    step: Step,
) -> None:
    """With outputs sent before the changelog, one id would say 6 pieces and, after the crash, 1 piece."""
    async with Driver(FLOW, partitions=1) as driver:
        await driver.send(CART_ADD, "c1", pieces(5))
        await driver.send(CART_ADD, "c1", pieces(1), settle=False)
        await driver.send(CART_CLEAR, "c1", CartClear(), settle=False)
        adding, clearing = Place("toy", CART_ADD.name, 0), Place("toy", CART_CLEAR.name, 0)
        driver.crash_at(step, wipe=True)
        await driver.deliver(adding)
        assert driver.crashes == 1
        for place in (clearing, adding):
            await driver.deliver(place)
        assert driver.ready() == []
        events = driver.events(CART_UPDATED)
    by_id = {event.event_id: event for event in events}
    assert len(by_id) == 2
    assert all(by_id[event.event_id] == event for event in events)


async def test_sources_delivered_again_from_their_beginning_change_nothing() -> None:
    async with Driver(FLOW) as driver:
        for count in (1, 2, 3):
            await driver.send(CART_ADD, "c1", pieces(count))
        before = list(driver.log.arrived)
        await driver.restart(rewind=True)
        await driver.settle()
        assert driver.table(COUNTS)["c1"].pieces == 6
        assert driver.log.arrived == before


async def test_a_recorded_topic_replays_to_the_same_outputs() -> None:
    async with Driver(FLOW) as first:
        for count in range(20):
            await first.send(CART_ADD, f"c{count % 3}", pieces(count))
    recorded = [record for record in first.log.arrived if record.topic == CART_ADD.name]
    async with Driver(FLOW, max_batch=3) as second:
        await second.replay(recorded)
    by_id = {event.event_id: event for event in first.events(CART_UPDATED)}
    assert {event.event_id: event for event in second.events(CART_UPDATED)} == by_id
    assert second.table(COUNTS) == first.table(COUNTS)


async def test_a_consumer_group_reads_each_message_once_and_its_offsets_are_seen() -> None:
    async with Driver(FLOW, partitions=2) as driver:
        for cart in ("c1", "c2", "c3", "c1"):
            await driver.send(CART_ADD, cart, pieces(1))
        assert [message.aggregate_id for message in driver.read(CART_UPDATED)] == ["c1", "c2", "c3", "c1"]
        assert driver.read(CART_UPDATED) == []
        await driver.send(CART_ADD, "c2", pieces(1), settle=False)
        assert sum(driver.committed("toy").values()) == 4
        await driver.settle()
        assert [message.data.lines[0].quantity for message in driver.read(CART_UPDATED)] == [2]
        assert len(driver.read(CART_UPDATED, "another")) == 5
        assert sum(driver.committed("toy").values()) == sum(driver.committed("another").values()) == 5


async def test_records_lie_where_the_broker_would_put_them() -> None:
    async with Driver(FLOW, partitions=4) as driver:
        for number in range(20):
            await driver.send(CART_ADD, f"c{number % 10}", pieces(1), headers=(("traceparent", b"00-abc"),))
        records = driver.records(CART_ADD)
    broker = DefaultPartitioner()
    assert {record.partition for record in records} == {
        broker(f"c{number}".encode(), range(4), range(4)) for number in range(10)
    }
    for number in range(4):
        here = [record.offset for record in records if record.partition == number]
        assert here == list(range(len(here)))
    assert {record.headers for record in records} == {(("traceparent", b"00-abc"),)}


async def test_thousands_of_records_are_handled_a_second() -> None:
    """A floor far under what it does (14,000 a second of CPU): only a change of kind is seen."""
    async with Driver(FLOW) as driver:
        began = time.process_time()  # what else the machine does is not the driver's
        for number in range(1_000):
            await driver.send(CART_ADD, f"c{number % 50}", pieces(1))
        rate = len(driver.log.arrived) / (time.process_time() - began)
    print(f"{rate:,.0f} records/s through the driver")  # noqa: T201 - the figure is the point
    assert rate > 1_000
