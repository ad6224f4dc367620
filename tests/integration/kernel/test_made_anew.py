"""A source topic that is deleted and made anew: what comes then is applied, and until then lag tells."""

import asyncio

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewTopic, OffsetSpec

from tests.eventually import eventually, eventually_async
from tests.integration.kernel.workers import APP_ID, Worker, Workers, assert_exact, distinct, feed, outputs
from topics.admin import client
from topics.identity import ids_there
from topics.lag import PartitionLag, lag
from topics.registry import CART_ADD
from topics.settings import Settings

KEYS = 4
BEFORE, SINCE = 200, 28


def make_anew(settings: Settings) -> None:
    admin = client(settings)
    before = ids_there(settings, [CART_ADD.name])
    admin.delete_topics([CART_ADD.name])[CART_ADD.name].result()
    eventually(lambda: CART_ADD.name not in admin.list_topics(timeout=10).topics)
    admin.create_topics([NewTopic(CART_ADD.name, settings.partitions, 1)])[CART_ADD.name].result()
    eventually(lambda: ids_there(settings, [CART_ADD.name]), lambda now: bool(now) and now != before)
    places = {
        TopicPartition(CART_ADD.name, each): OffsetSpec.latest()  # type: ignore[no-untyped-call] # untyped upstream
        for each in range(settings.partitions)
    }

    def served() -> bool:
        return all(answer.exception() is None for answer in admin.list_offsets(places).values())

    eventually(served)


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


@pytest.mark.xfail(reason="a worker under which its topic was made anew sometimes reads nothing for a minute")
async def test_what_comes_in_a_topic_that_is_made_anew_under_a_worker_is_applied(
    workers: Workers, own_settings: Settings
) -> None:
    worker = await begin(workers, own_settings, "before-under")
    await asyncio.to_thread(make_anew, own_settings)
    await feed(own_settings, SINCE, KEYS, "under")

    async def applied() -> bool:
        # It goes on by itself where it saw the topic go; else it ends, and who runs it starts it again.
        if worker.process.poll() is not None and len(workers) == 1:
            assert worker.said("deleted and created again")
            workers.start(0)
        return await distinct(own_settings, "under") >= SINCE

    await eventually_async(applied, seconds=60)
    assert_exact(await outputs(own_settings, "under"), SINCE, KEYS)
    await asyncio.to_thread(eventually, lambda: lag(own_settings, [APP_ID]), stands)


async def test_what_comes_in_a_topic_that_was_made_anew_without_a_worker_is_applied_once(
    workers: Workers, own_settings: Settings
) -> None:
    (await begin(workers, own_settings, "before-down")).kill()
    await asyncio.to_thread(make_anew, own_settings)
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
    await asyncio.to_thread(make_anew, own_settings)
    await feed(own_settings, KEYS, KEYS, "new")
    workers.start(0)
    await has(own_settings, "new", KEYS)
