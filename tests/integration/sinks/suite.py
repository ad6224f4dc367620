"""What holds for every sink, whatever its target: each test runs once per target, on the real one."""

from collections.abc import AsyncIterator

import pytest

from tests.eventually import eventually_async
from tests.integration.sinks.feed import Dying, Feed, Through, feeding
from tests.integration.sinks.targets import Target
from tests.integration.sinks.views import running
from topics.connection import KafkaOptions
from topics.settings import Settings


class SinkSuite:
    """The behaviours. A subclass gives the fixture `target`."""

    @pytest.fixture
    async def feed(
        self, settings: Settings, topics_created: KafkaOptions, target: Target, group_suffix: str
    ) -> AsyncIterator[Feed]:
        del topics_created
        async with feeding(settings, target, f"suite.{group_suffix}") as made:
            yield made

    async def test_what_comes_is_written_committed_and_counted(self, target: Target, feed: Feed) -> None:
        keys = feed.keys(20)
        await feed.publish(keys, 1, 2)
        async with running(feed.connector()):
            await feed.caught_up()
            assert await feed.metric("up") == 1
        assert await target.held(keys) == dict.fromkeys(keys, target.expected([1, 2]))
        assert await feed.metric("records_total", topic=feed.name) == 40
        assert (await feed.metric("rows_total") or 0) >= 40
        assert await feed.metric("retries_total") in (None, 0)
        assert await feed.letters() == []

    async def test_a_batch_that_comes_again_changes_nothing(self, target: Target, feed: Feed) -> None:
        keys = feed.keys(10)
        await feed.publish(keys, 1, 2)
        for group in (feed.name, f"{feed.name}.again"):
            async with running(feed.connector(group=group)):
                await feed.caught_up(group)
            assert await target.held(keys) == dict.fromkeys(keys, target.expected([1, 2]))

    async def test_an_older_version_never_wins(self, target: Target, feed: Feed) -> None:
        keys = feed.keys(10)
        async with running(feed.connector()):
            for versions in ((5, 3), (4,)):
                await feed.publish(keys, *versions)
                await feed.caught_up()
        assert await target.held(keys) == dict.fromkeys(keys, target.expected([5, 3, 4]))

    async def test_a_record_that_is_refused_is_a_dead_letter_alone(self, target: Target, feed: Feed) -> None:
        keys = feed.keys(30)
        bad, text = keys[17], feed.keys(1, first=30)[0]
        values = [(key, await target.rejected(key) if key == bad else target.value(key, 1)) for key in keys]
        await feed.publish_values([*values, (text, b"not avro")])
        async with running(feed.connector()):
            await feed.caught_up()
        good = [key for key in keys if key != bad]
        assert await target.held(keys) == dict.fromkeys(good, target.expected([1]))
        told = [(each["reason"], each["target"], each.get("code")) for each in await feed.letters()]
        assert sorted(told) == [("refused", feed.name, target.code), ("undecodable", feed.name, None)]
        assert await feed.metric("dead_letters_total", reason="refused") == 1

    async def test_a_target_that_fails_is_waited_for_and_nothing_is_lost(
        self, target: Target, feed: Feed
    ) -> None:
        keys = feed.keys(20)
        await feed.publish(keys, 1)
        connector = feed.connector()
        async with running(connector):
            await feed.caught_up()
            before = await feed.committed()
            await target.fail()
            try:
                await feed.publish(keys, 2)
                await eventually_async(lambda: feed.metric("retries_total"), lambda count: (count or 0) >= 3)
                assert connector.attempts < 20, "it waits between attempts"
                assert (connector.healthy, await feed.metric("up")) == (False, 0)
                assert connector.last_error
                assert await feed.committed() == before
                await eventually_async(feed.lag, lambda records: records == 20)
            finally:
                await target.mend()
            await feed.caught_up()
            assert (connector.healthy, connector.last_error, await feed.metric("up")) == (True, "", 1)
        assert await target.held(keys) == dict.fromkeys(keys, target.expected([1, 2]))
        assert await feed.letters() == []

    async def test_a_crash_between_flush_and_commit_loses_and_doubles_nothing(
        self, target: Target, feed: Feed
    ) -> None:
        keys = feed.keys(20)
        await feed.publish(keys, 1, 2)
        with pytest.raises(RuntimeError, match="between flush and commit"):
            await feed.connector(Dying(target.sink())).run()
        assert await target.held(keys), "the batch was flushed"
        assert await feed.committed() == {}, "and not committed"
        async with running(feed.connector()):
            await feed.caught_up()
        assert await target.held(keys) == dict.fromkeys(keys, target.expected([1, 2]))

    async def test_a_stop_waits_for_what_is_being_written_and_commits_it(
        self, target: Target, feed: Feed
    ) -> None:
        keys = feed.keys(20)
        await feed.publish(keys, 1)
        sink = Through(target.sink(), let=False)
        connector = feed.connector(sink)
        async with running(connector):
            await sink.began.wait()
            connector.stop()
            sink.let.set()
        assert sink.taken
        has = {place.partition: offset for place, offset in (await feed.committed()).items()}
        assert has == sink.upto()
        assert len(await target.held(keys)) == len(sink.taken)

    async def test_a_rebalance_loses_nothing_and_writes_nothing_twice(
        self, target: Target, feed: Feed
    ) -> None:
        keys = feed.keys(20)
        await feed.publish(keys, 1)
        first, second = Through(target.sink(), let=False), Through(target.sink())
        stays, comes = feed.connector(first), feed.connector(second)
        async with running(stays):
            await first.began.wait()
            async with running(comes):
                await stays.asked.wait()
                first.let.set()
                await feed.publish(keys, 2)
                await feed.caught_up()
                assert second.taken, "it got a partition"
            await feed.publish(keys, 3)
            await feed.caught_up()
        taken = first.taken + second.taken
        assert (len(taken), set(taken.values())) == (60, {1})
        assert await target.held(keys) == dict.fromkeys(keys, target.expected([1, 2, 3]))
