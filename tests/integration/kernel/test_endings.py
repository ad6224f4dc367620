"""How workers end: told to, they hand over at once; standing still, they are ended, and come back."""

import asyncio
import signal
import time

from streams.kernel.faust_app import HEARTBEAT_S, SESSION_TIMEOUT_S
from streams.kernel.watchdog import STANDSTILL_STATUS
from tests.eventually import eventually, eventually_async
from tests.integration.kernel.workers import APP_ID, Worker, Workers, assert_exact, distinct, feed, outputs
from topics.admin import client
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
