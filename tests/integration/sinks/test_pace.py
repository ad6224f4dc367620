"""How the runtime keeps pace with a target that is slow, or away while members come and go."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from connectors.runtime.sink import Entry, Refusal, Sink
from connectors.runtime.sizing import Limits
from tests.eventually import eventually_async
from tests.integration.sinks.feed import Feed, Through, feeding
from tests.integration.sinks.targets import RedisCarts, Target
from tests.integration.sinks.views import running
from tests.stack import Stack
from topics.connection import KafkaOptions
from topics.settings import Settings


@pytest.fixture
def target(stack: Stack, redis_url: str) -> Target:
    return RedisCarts(stack, redis_url)


@pytest.fixture
async def feed(
    settings: Settings, topics_created: KafkaOptions, target: Target, group_suffix: str
) -> AsyncIterator[Feed]:
    del topics_created
    async with feeding(settings, target, f"pace.{group_suffix}") as made:
        yield made


class Slow(Through):
    """A target that takes a thousand records a second, until it is let."""

    def __init__(self, sink: Sink[Any]) -> None:
        super().__init__(sink)
        self.quick = False

    async def write(self, batch: Sequence[Entry[Any]]) -> Sequence[Refusal]:
        if not self.quick:
            await asyncio.sleep(len(batch) / 1_000)
        return await super().write(batch)


async def test_a_batch_is_what_the_target_takes_in_its_time(target: Target, feed: Feed) -> None:
    keys = feed.keys(200)
    await feed.publish(keys, *range(1, 6))
    slow = Slow(target.sink())
    async with running(feed.connector(slow, limits=Limits(records=400, write_s=0.1))):
        await feed.caught_up()
        # A tenth of a second's worth: about a hundred of a thousand a second.
        await eventually_async(lambda: feed.metric("batch_limit"), lambda limit: 50 <= (limit or 0) <= 200)
        slow.quick = True
        await feed.publish(keys, *range(6, 21))
        await feed.caught_up()
        await eventually_async(lambda: feed.metric("batch_limit"), lambda limit: (limit or 0) > 200)
    assert await target.held(keys) == dict.fromkeys(keys, 20)


async def test_a_slow_target_pauses_the_partitions_and_nothing_is_lost(target: Target, feed: Feed) -> None:
    keys = feed.keys(30)
    await feed.publish(keys, 1, 2, 3)
    sink = Through(target.sink(), let=False)
    connector = feed.connector(sink, limits=Limits(records=20))
    async with running(connector):
        await eventually_async(lambda: feed.metric("paused"), lambda value: value == 1)
        assert connector.healthy, "slow is not away"
        sink.let.set()
        await feed.caught_up()
        await eventually_async(lambda: feed.metric("paused"), lambda value: value == 0)
    assert await target.held(keys) == dict.fromkeys(keys, 3)


async def test_members_that_come_and_go_while_the_target_is_away_lose_nothing(
    target: Target, feed: Feed
) -> None:
    keys = feed.keys(20)
    stays, goes, comes = (feed.connector() for _ in range(3))
    async with running(stays):
        async with running(goes):
            await feed.publish(keys, 1)
            await feed.caught_up()
            await target.fail()
            await feed.publish(keys, 2)
            await eventually_async(lambda: _attempts(stays, goes), lambda attempts: attempts >= 2)
        async with running(comes):
            await eventually_async(lambda: _attempts(comes), lambda attempts: attempts >= 1)
            await target.mend()
            await feed.caught_up()
    assert await target.held(keys) == dict.fromkeys(keys, 2)


async def _attempts(*connectors: Any) -> int:
    return sum(each.attempts for each in connectors)
