"""How the flows are declared to Faust, and how fetches become its agents' events. No broker."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import faust
import pytest
from aiokafka.errors import KafkaConnectionError
from confluent_kafka import KafkaException
from faust.types import TP
from prometheus_client import CollectorRegistry

from streams.flows import FLOWS, GROUP
from streams.kernel import faust_app
from streams.kernel.faust_app import StreamsApp
from streams.kernel.faust_mends import (
    AppliedOffsetsConsumer,
    OwningAssignor,
    OwningTableManager,
    OwningTransport,
)
from streams.kernel.meters import Meters
from streams.kernel.ownership import Ownership
from topics.settings import Settings


@pytest.fixture
async def app(tmp_path: Path) -> StreamsApp:
    return StreamsApp(
        FLOWS,
        Settings(partitions=6, kafka="one:1,two:2"),
        app_id=GROUP,
        instance="host-3",
        data_dir=tmp_path,
        meters=Meters(CollectorRegistry()),
    )


async def test_every_flow_has_one_agent_on_all_its_topics_and_one_table(app: StreamsApp) -> None:
    channels: list[Any] = [agent.channel for agent in app.agents.values()]
    agents = {channel.topics[0]: agent for channel, agent in zip(channels, app.agents.values(), strict=True)}
    assert len(agents) == len(app.tables) == len(FLOWS)
    for flow in FLOWS:
        agent: Any = agents[flow.routes[0].topic.name]
        assert list(agent.channel.topics) == [route.topic.name for route in flow.routes]
        assert agent.concurrency == 1
        assert not agent.channel.acks
        table: Any = app.tables[flow.table.name]
        assert table.changelog_topic.get_topic_name() == flow.table.changelog.name
        assert (table.partitions, table.key_type, table.value_type) == (6, bytes, bytes)


async def test_the_settings_that_correctness_rests_on(app: StreamsApp) -> None:
    conf: Any = app.conf
    assert [str(url) for url in conf.broker] == ["kafka://one:1", "kafka://two:2"]
    assert (conf.id, conf.consumer_group_instance_id) == (GROUP, "host-3")
    assert not conf.web_enabled
    assert not conf.topic_allow_declare
    assert conf.topic_disable_leader
    assert not conf.stream_wait_empty
    assert conf.table_standby_replicas == 0
    assert conf.broker_session_timeout == 10
    assert isinstance(app.tables, OwningTableManager)
    assert isinstance(app.transport, OwningTransport)
    assert isinstance(app.assignor, OwningAssignor)


@pytest.mark.parametrize(("owned", "looked_at"), [(6 * len(FLOWS), 7), (6 * len(FLOWS) - 1, None)])
async def test_what_others_send_as_well_is_waited_for(
    app: StreamsApp, monkeypatch: pytest.MonkeyPatch, owned: int, looked_at: int | None
) -> None:
    monkeypatch.setattr(Ownership, "owned", property(lambda _: owned))
    monkeypatch.setattr(app.ownership, "fed", lambda: {("topic", 0): 7})
    assert app.fed().get(("topic", 0)) == looked_at


async def test_what_the_broker_has_is_handed_over(app: StreamsApp, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[Any] = []
    monkeypatch.setattr(app.ownership, "hand_over", lambda *sent: handed.append(sent))
    app.publisher._hand_over("topic", 3, 5, [(b"k", b"v", ())])
    assert handed == [("topic", 3, 5, [(b"k", b"v", ())])]


async def test_timers_end_before_what_sends_them(app: StreamsApp, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    begun = asyncio.Event()

    async def timers() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.append("timers")

    async def publisher() -> None:
        ended.append("publisher")

    monkeypatch.setattr(app.ownership, "run_timers", timers)
    monkeypatch.setattr(app.publisher, "start", AsyncMock())
    monkeypatch.setattr(app.publisher, "stop", publisher)
    monkeypatch.setattr(faust_app, "AIOKafkaClient", lambda **_: AsyncMock())
    monkeypatch.setattr(faust.App, "on_start", AsyncMock())
    monkeypatch.setattr(faust.App, "on_stop", AsyncMock())
    await app.on_start()
    await asyncio.wait_for(begun.wait(), 5)
    await app.on_stop()
    assert ended == ["timers", "publisher"]


SOURCE, PAUSED = TP("source", 0), TP("changelog", 0)


def fetching(fetched: dict[TP, list[Any]], maxsize: int = 10) -> tuple[Any, "asyncio.Queue[Any]"]:
    queue: asyncio.Queue[Any] = asyncio.Queue(maxsize)
    consumer: Any = AppliedOffsetsConsumer.__new__(AppliedOffsetsConsumer)
    consumer.app = SimpleNamespace(
        consumer_generation_id=1,
        topics=SimpleNamespace(_tp_index=defaultdict(list, {SOURCE: [SimpleNamespace(queue=queue)]})),
        create_event=lambda _, value, __, message: SimpleNamespace(value=value, message=message),
    )
    consumer._wait_next_records = AsyncMock(return_value=(fetched, {SOURCE}))
    consumer._to_message = lambda tp, record: SimpleNamespace(tp=tp, last=record)
    consumer.perform_seek = AsyncMock()
    consumer.flow_active = True
    consumer._stopped = asyncio.Event()
    consumer._crashed = asyncio.Event()
    consumer.loop = asyncio.get_running_loop()
    consumer.suspend_flow = asyncio.Event()
    return consumer, queue


async def test_a_fetch_is_one_event_per_partition_and_paused_ones_are_left() -> None:
    consumer, queue = fetching({SOURCE: ["a", "b", "c"], PAUSED: ["x"]})
    await consumer._deliver_next()
    event = queue.get_nowait()
    assert (event.value, event.message.last) == (["a", "b", "c"], "c")
    assert queue.empty()


async def test_what_was_fetched_before_the_flow_stopped_is_sought_again() -> None:
    consumer, queue = fetching({SOURCE: ["a"]})
    consumer.flow_active = False
    await consumer._deliver_next()
    assert queue.empty()
    consumer.perform_seek.assert_awaited_once()


async def test_a_full_queue_is_waited_for_but_not_through_a_rebalance() -> None:
    consumer, queue = fetching({SOURCE: ["a"]}, maxsize=1)
    queue.put_nowait("earlier")
    waiting = asyncio.create_task(consumer._deliver_next())
    await asyncio.sleep(0)
    assert queue.get_nowait() == "earlier"
    await waiting
    assert queue.get_nowait().value == ["a"]
    queue.put_nowait("earlier")
    waiting = asyncio.create_task(consumer._deliver_next())
    await asyncio.sleep(0)
    consumer.suspend_flow.set()
    await asyncio.wait_for(waiting, 5)
    assert queue.get_nowait() == "earlier"
    assert queue.empty()


class Group:
    """A consumer whose group reads none of its topics, however often it is formed anew."""

    def __init__(self) -> None:
        self.held: frozenset[str] = frozenset()
        self.rejoined = 0
        self.heals: Callable[[], None] | None = None

    def assignment(self) -> set[TP]:
        return set()

    async def rejoin(self) -> None:
        self.rejoined += 1
        if self.heals is not None:
            self.heals()


OF_TOPIC = FLOWS[0].routes[0].topic.name


@pytest.fixture
def group(app: StreamsApp, monkeypatch: pytest.MonkeyPatch) -> Group:
    made: Any = Group()
    app._consumer = made
    app.source_ids = {OF_TOPIC: "old"}
    monkeypatch.setattr(app, "_flowing", lambda: True)
    monkeypatch.setattr(faust_app, "LOOK_S", 0.0)
    monkeypatch.setattr(faust_app, "ids_there", lambda *_: {OF_TOPIC: "new"})
    return made  # type: ignore[no-any-return] # in the consumer's place


async def test_a_group_that_is_formed_anew_in_vain_ends_its_worker(
    app: StreamsApp, group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[Exception] = []
    monkeypatch.setattr(app, "_fail", failed.append)
    await asyncio.wait_for(app._watch_sources(), 10)
    assert group.rejoined == 3
    assert str(failed[0]) == f"{OF_TOPIC}: deleted and created again"


async def test_topics_are_looked_at_on_and_on_once_the_group_is_formed(
    app: StreamsApp, group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(["one", "one", "two", "two", "three", "three"])
    seen = asyncio.Event()

    def look(*_: Any) -> dict[str, str]:
        if (now := next(looks, None)) is None:
            seen.set()
        return {OF_TOPIC: now or "three"}

    def heal() -> None:
        if group.rejoined == 6:
            app.source_ids = {OF_TOPIC: "three"}

    group.heals = heal
    monkeypatch.setattr(faust_app, "ids_there", look)
    watching = asyncio.create_task(app._watch_sources())
    await asyncio.wait_for(seen.wait(), 10)
    assert not watching.done(), "each other topic has tries of its own"
    watching.cancel()
    assert group.rejoined == 6


async def test_a_topic_that_is_gone_or_another_is_not_read_on(
    app: StreamsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.source_ids = {"same": "1", "other": "2", "gone": "3"}
    monkeypatch.setattr(faust_app, "ids_there", lambda *_: {"same": "1", "other": "9"})
    assert await app.other_sources(["same", "other", "gone"]) == {"other", "gone"}

    def away(*_: Any) -> dict[str, str]:
        raise KafkaException("away")

    monkeypatch.setattr(faust_app, "ids_there", away)
    with pytest.raises(KafkaConnectionError):
        await app.other_sources(["same"])
