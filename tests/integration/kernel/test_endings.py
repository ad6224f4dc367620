"""How workers end: told to, they hand over at once; standing still, they are ended, and come back."""

import asyncio
import signal
import time

import pytest

from deploy.dlq.redrive import load
from deploy.dlq.skipping import skip
from deploy.errors import CommandError
from deploy.topology.component import Component
from deploy.topology.gather import of_flow
from streams.kernel.faust_app import HEARTBEAT_S, SESSION_TIMEOUT_S
from streams.kernel.watchdog import STANDSTILL_STATUS
from tests.eventually import eventually, eventually_async
from tests.integration.kernel.toy_worker import POISON
from tests.integration.kernel.workers import APP_ID, Worker, Workers, assert_exact, distinct, feed, outputs
from tests.topology.kernel import toy
from tests.topology.kernel.toy import pieces
from topics.admin_client import client
from topics.command import command
from topics.producer import MessageProducer
from topics.registry import CART_ADD
from topics.settings import Settings

KEYS = 40
ROUND = 400
# A session runs from the last heartbeat, which is at most so much older than the signal to stop.
SOONEST_EXPIRY_S = SESSION_TIMEOUT_S - HEARTBEAT_S
BOUND_S = 5.0
WATCHED = {"ECOMMERCE_WORKER_STANDSTILL_SECONDS": str(BOUND_S)}


def members(settings: Settings) -> int:
    (answer,) = client(settings).describe_consumer_groups([APP_ID]).values()
    return len(answer.result().members)


async def stop(worker: Worker) -> None:
    worker.signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.process.wait, 20) == 0, worker.log.read_text()[-3000:]


async def counted(settings: Settings, prefix: str, count: int) -> None:
    """Wait until every record was counted, and see that each was counted once."""
    await eventually_async(lambda: distinct(settings, prefix), lambda have: have >= count, 60)
    assert_exact(await outputs(settings, prefix), count, KEYS)


async def test_a_worker_that_is_stopped_hands_over_at_once(workers: Workers, own_settings: Settings) -> None:
    first = workers.start(0)
    await asyncio.to_thread(first.wait_ready)
    second = workers.start(1)
    await asyncio.to_thread(second.wait_ready)
    await feed(own_settings, ROUND, KEYS, "leave")
    await counted(own_settings, "leave", ROUND)
    assert second.owned() < own_settings.partitions
    stopped_at = time.monotonic()
    await stop(first)
    assert members(own_settings) == 1
    await asyncio.to_thread(eventually, lambda: second.owned() == own_settings.partitions)
    assert time.monotonic() - stopped_at < SOONEST_EXPIRY_S
    await feed(own_settings, ROUND, KEYS, "leave")
    await counted(own_settings, "leave", 2 * ROUND)
    await stop(second)
    assert members(own_settings) == 0


async def test_a_worker_that_is_to_come_back_keeps_its_place(
    workers: Workers, own_settings: Settings
) -> None:
    worker = workers.start(0, ECOMMERCE_WORKER_LEAVES_GROUP="false")
    await asyncio.to_thread(worker.wait_ready)
    await stop(worker)
    assert members(own_settings) == 1


async def test_a_blocked_loop_is_ended_and_its_successor_goes_on(
    workers: Workers, own_settings: Settings
) -> None:
    worker = workers.start(0, "blocked", **WATCHED)
    await asyncio.to_thread(worker.wait_ready)
    await feed(own_settings, ROUND, KEYS, "blocked")
    assert await asyncio.to_thread(worker.process.wait, 60) == STANDSTILL_STATUS
    assert worker.said("worker stands still and is ended")
    assert worker.said("the event loop is blocked")
    assert worker.said("toy_worker.py"), "the stack names the line that blocks"
    workers.start(0)
    await counted(own_settings, "blocked", ROUND)


async def test_a_recovery_that_was_called_off_is_ended_and_its_successor_goes_on(
    workers: Workers, own_settings: Settings
) -> None:
    worker = workers.start(0, "cancelled", **WATCHED)
    await asyncio.to_thread(worker.wait_ready)
    other = workers.start(1)  # its coming is the second rebalance
    await asyncio.to_thread(other.wait_ready)
    await feed(own_settings, ROUND, KEYS, "cancelled")
    assert await asyncio.to_thread(worker.process.wait, 60) == STANDSTILL_STATUS
    assert worker.said("the flow is off")
    assert BOUND_S <= worker.stood_still() < 4 * BOUND_S
    workers.start(0)
    await counted(own_settings, "cancelled", ROUND)
    assert other.process.poll() is None


async def test_a_record_that_stops_its_partition_is_left_on_a_persons_word(
    workers: Workers, own_settings: Settings
) -> None:
    worker = workers.start(0, "stoppable", **WATCHED)
    await asyncio.to_thread(worker.wait_ready)
    async with MessageProducer(own_settings) as producer:
        for count in (1, POISON, 1):
            message = command(CART_ADD, "stop-0", pieces(count))
            sent = await producer.send_and_wait(CART_ADD, "stop-0", message)
            if count == POISON:
                place = f"{CART_ADD.name}/{sent.partition}/{sent.offset}"
    assert await asyncio.to_thread(worker.process.wait, 60) == STANDSTILL_STATUS
    toys = of_flow(toy.FLOW, APP_ID)
    with pytest.raises(CommandError, match="holds offsets"):
        skip(own_settings, f"{CART_ADD.name}/{sent.partition}/{10**9}", toys, "ann", "x")
    await asyncio.to_thread(skip, own_settings, place, toys, "ann", "it never ends")
    workers.start(0, "stoppable", **WATCHED)
    await eventually_async(lambda: distinct(own_settings, "stop"), lambda have: have >= 2, 60)
    (by_cart,) = (await outputs(own_settings, "stop")).values()
    assert max(event.data.lines[0].quantity for event in by_cart) == 2, "the poison was not counted"
    (letter,) = [one for one in load(own_settings, "cart") if one.reason == "skipped"]
    assert (letter.source, letter.error) == (place, "skipped by ann: it never ends")
    await asyncio.to_thread(
        eventually, lambda: refused(own_settings, place, toys), lambda said: "is past it" in said
    )


def refused(settings: Settings, place: str, toys: Component) -> str:
    try:
        skip(settings, place, toys, "ann", "again")
    except CommandError as error:
        return str(error)
    return ""
