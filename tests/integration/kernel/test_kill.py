"""A worker is killed again and again: nothing is lost, nothing contradicts, doubles carry the same ids."""

import asyncio
import signal

from tests.eventually import eventually, eventually_async
from tests.integration.kernel.workers import Workers, assert_exact, distinct, feed, outputs, produced
from tests.stack import Stack
from topics.settings import Settings

KEYS = 200
ROUND = 4_000


async def test_sums_are_exact_after_kills_with_and_without_local_state(
    workers: Workers, own_settings: Settings
) -> None:
    rounds = (False, True, False, True)
    for wipe in rounds:
        worker = workers.start()
        await asyncio.to_thread(worker.wait_ready)
        before = await asyncio.to_thread(produced, own_settings)
        feeding = asyncio.create_task(feed(own_settings, ROUND, KEYS, "kill"))
        while await asyncio.to_thread(produced, own_settings) == before:
            assert worker.process.poll() is None
        worker.kill()
        await feeding
        if wipe:
            workers.wipe()
    last = workers.start()
    await asyncio.to_thread(last.wait_ready)
    count = ROUND * len(rounds)
    await eventually_async(lambda: distinct(own_settings, "kill"), lambda have: have >= count, 60)
    assert_exact(await outputs(own_settings, "kill"), count, KEYS)
    last.signal(signal.SIGTERM)
    assert await asyncio.to_thread(last.process.wait, 15) == 0


async def test_a_worker_that_slept_through_its_succession_neither_writes_nor_emits(
    workers: Workers, own_settings: Settings
) -> None:
    """SIGSTOP in the middle of a batch, past the session timeout; takeover by another worker; SIGCONT."""
    sleeper = workers.start(0, "sleepy")
    await asyncio.to_thread(sleeper.wait_ready)
    await feed(own_settings, ROUND, KEYS, "stop")
    await asyncio.to_thread(eventually, sleeper.asleep, seconds=60)
    successor = workers.start(1)
    await eventually_async(lambda: distinct(own_settings, "stop"), lambda have: have >= ROUND, 120)
    sleeper.signal(signal.SIGCONT)
    # The broker refuses what it had in hand, so it ends; a supervisor would start it again.
    assert await asyncio.to_thread(sleeper.process.wait, 60) != 0
    assert sleeper.said("has another owner")
    await feed(own_settings, ROUND, KEYS, "stop")
    await eventually_async(lambda: distinct(own_settings, "stop"), lambda have: have >= 2 * ROUND, 120)
    assert_exact(await outputs(own_settings, "stop"), 2 * ROUND, KEYS)
    assert successor.process.poll() is None


async def test_workers_that_join_and_leave_under_load_hand_over_exactly(
    workers: Workers, own_settings: Settings
) -> None:
    first = workers.start(0)
    await asyncio.to_thread(first.wait_ready)
    feeding = [asyncio.create_task(feed(own_settings, ROUND, KEYS, "move"))]
    second = workers.start(1)
    await asyncio.to_thread(second.wait_ready)
    feeding.append(asyncio.create_task(feed(own_settings, ROUND, KEYS, "move")))
    first.signal(signal.SIGTERM)
    assert await asyncio.to_thread(first.process.wait, 20) == 0
    await asyncio.gather(*feeding)
    await eventually_async(lambda: distinct(own_settings, "move"), lambda have: have >= 2 * ROUND, 60)
    assert_exact(await outputs(own_settings, "move"), 2 * ROUND, KEYS)


async def test_the_first_records_of_all_are_counted_where_they_come_amid_a_rebalance(
    workers: Workers, own_settings: Settings
) -> None:
    """Nothing is committed yet that the fetch could be sought back to."""
    first = workers.start(0, "late")
    await asyncio.to_thread(first.wait_ready)
    second = workers.start(1)
    await asyncio.to_thread(second.wait_ready)
    await asyncio.to_thread(eventually, lambda: first.owned() < own_settings.partitions)
    await feed(own_settings, KEYS, KEYS, "first")
    await eventually_async(lambda: distinct(own_settings, "first"), lambda have: have >= KEYS, 30)
    assert_exact(await outputs(own_settings, "first"), KEYS, KEYS)


async def test_a_broker_that_is_killed_only_delays(workers: Workers, own_stack: Stack) -> None:
    settings = own_stack.settings
    worker = workers.start()
    await asyncio.to_thread(worker.wait_ready)
    before = await asyncio.to_thread(produced, settings)
    feeding = asyncio.create_task(feed(settings, ROUND, KEYS, "broker"))
    while await asyncio.to_thread(produced, settings) == before:
        assert worker.process.poll() is None
    broker = own_stack.kafka()
    await asyncio.to_thread(broker.kill)
    await asyncio.to_thread(broker.start)
    await feeding
    await eventually_async(lambda: distinct(settings, "broker"), lambda have: have >= ROUND, 90)
    assert_exact(await outputs(settings, "broker"), ROUND, KEYS)
    assert worker.process.poll() is None, worker.log.read_text()[-2000:]
