"""A source topic that is deleted and made anew: what comes then is applied, and until then lag tells."""

import asyncio

from tests.eventually import eventually, eventually_async
from tests.integration.kernel.workers import APP_ID, Worker, Workers, assert_exact, distinct, feed, outputs
from tests.made_anew import create, make_anew, remove, swap
from topics.lag import PartitionLag, lag
from topics.registry import CART_ADD
from topics.settings import Settings

KEYS = 4
BEFORE, SINCE, TURNS = 200, 28, 2


async def has(settings: Settings, prefix: str, count: int) -> None:
    await eventually_async(lambda: distinct(settings, prefix), lambda have: have >= count, 60)
    assert_exact(await outputs(settings, prefix), count, KEYS)


async def begin(workers: Workers, settings: Settings, prefix: str) -> Worker:
    """Have a worker apply records, and commit what it applied."""
    worker = workers.start(0)
    await asyncio.to_thread(worker.wait_ready)
    await feed(settings, BEFORE, KEYS, prefix)
    await has(settings, prefix, BEFORE)
    await asyncio.to_thread(eventually, lambda: lag(settings, [APP_ID]), stands)
    return worker


def stands(found: list[PartitionLag]) -> bool:
    return bool(found) and all(each.lag == 0 and each.fault is None for each in found)


async def test_what_comes_in_a_topic_that_is_made_anew_under_a_worker_is_applied(
    workers: Workers, own_settings: Settings
) -> None:
    worker = await begin(workers, own_settings, "before-under")
    await asyncio.to_thread(make_anew, own_settings, CART_ADD.name)
    await feed(own_settings, SINCE, KEYS, "under")
    await has(own_settings, "under", SINCE)
    # It goes on by itself: its restart would be given the partitions that it had amid the deletion.
    assert worker.process.poll() is None
    await asyncio.to_thread(eventually, lambda: lag(own_settings, [APP_ID]), stands)


async def test_a_topic_that_is_made_anew_at_once_and_grows_beyond_the_old_one_is_applied_once(
    workers: Workers, own_settings: Settings
) -> None:
    worker = workers.start(0)
    await asyncio.to_thread(worker.wait_ready)
    for turn in range(TURNS):
        await asyncio.to_thread(swap, own_settings, CART_ADD.name)
        # A worker that goes on where it was in the old topic applies what lies beyond, and once more later.
        count = SINCE * (turn + 1)
        await feed(own_settings, count, KEYS, f"swapped-{turn}")
        await has(own_settings, f"swapped-{turn}", count)
    await asyncio.to_thread(eventually, lambda: lag(own_settings, [APP_ID]), stands)


async def test_workers_that_were_given_their_partitions_while_the_topic_was_away_read_it_when_it_is_back(
    workers: Workers, own_settings: Settings
) -> None:
    worker = await begin(workers, own_settings, "before-away")
    await asyncio.to_thread(remove, own_settings, CART_ADD.name)
    joining = workers.start(1)
    await asyncio.to_thread(eventually, lambda: worker.takeovers() > 1 and joining.takeovers() > 0)
    worker.kill()
    joining.kill()
    await asyncio.to_thread(create, own_settings, CART_ADD.name)
    # Under their names they are given what they had, and nobody looks what topics there are.
    running = [workers.start(0), workers.start(1)]
    await feed(own_settings, SINCE, KEYS, "away")

    async def applied() -> bool:
        # One in whose hands the group does not form ends and leaves it; who runs it starts it again.
        for place, each in enumerate(running):
            if each.process.poll() is not None:
                assert each.said("deleted and created again")
                running[place] = workers.start(each.index)
        return await distinct(own_settings, "away") >= SINCE

    await eventually_async(applied, seconds=60)
    assert_exact(await outputs(own_settings, "away"), SINCE, KEYS)
    await asyncio.to_thread(eventually, lambda: lag(own_settings, [APP_ID]), stands)


async def test_what_comes_in_a_topic_that_was_made_anew_without_a_worker_is_applied_once(
    workers: Workers, own_settings: Settings
) -> None:
    (await begin(workers, own_settings, "before-down")).kill()
    await asyncio.to_thread(make_anew, own_settings, CART_ADD.name)
    await feed(own_settings, SINCE, KEYS, "down")
    # The broker has forgotten what was committed, and no member is there.
    owed = lag(own_settings, [APP_ID], reads={APP_ID: [CART_ADD.name]})
    assert sum(each.lag for each in owed if each.topic == CART_ADD.name) == SINCE
    again = workers.start(0)
    await has(own_settings, "down", SINCE)
    assert again.said("source begins anew")
    await asyncio.to_thread(eventually, lambda: lag(own_settings, [APP_ID]), stands)
    again.kill()
    third = workers.start(0)
    await asyncio.to_thread(third.wait_ready)
    await feed(own_settings, SINCE, KEYS, "down")
    await has(own_settings, "down", 2 * SINCE)
    assert not third.said("source begins anew")
    await has(own_settings, "before-down", BEFORE)


async def test_a_state_without_ids_is_gone_on_with_unless_its_topic_ends_before_it(
    workers: Workers, own_settings: Settings
) -> None:
    worker = workers.start(0, "old")
    await asyncio.to_thread(worker.wait_ready)
    await feed(own_settings, BEFORE, KEYS, "old")
    await has(own_settings, "old", BEFORE)
    worker.kill()
    upgraded = workers.start(0)
    await feed(own_settings, KEYS, KEYS, "old")
    await has(own_settings, "old", BEFORE + KEYS)
    assert not upgraded.said("source begins anew")
    upgraded.kill()
    older = workers.start(0, "old")
    await feed(own_settings, KEYS, KEYS, "old")
    await has(own_settings, "old", BEFORE + 2 * KEYS)
    older.kill()
    await asyncio.to_thread(make_anew, own_settings, CART_ADD.name)
    await feed(own_settings, KEYS, KEYS, "new")
    workers.start(0)
    await has(own_settings, "new", KEYS)
