"""What the watchdog asks the broker: where the sources end; nothing of one that does not answer."""

import asyncio
import socket
from collections.abc import Mapping

import pytest

from streams.kernel import source_ends
from streams.kernel.source_ends import SourceEnds
from streams.kernel.standstill import SourcePartition
from tests.eventually import eventually_async
from tests.integration.kernel.workers import feed
from tests.topology.kernel import toy
from topics.connection import KafkaOptions
from topics.registry import CART_ADD
from topics.settings import Settings


async def test_the_ends_of_all_sources_are_told(settings: Settings, topics_created: KafkaOptions) -> None:
    assert topics_created
    ends = SourceEnds(settings, [toy.FLOW])

    async def told() -> Mapping[SourcePartition, int] | None:
        return await asyncio.to_thread(ends)

    # A broker that has just been restarted may find the client's metadata too old: the next look has others.
    before = await eventually_async(told, lambda seen: seen is not None)
    assert before is not None
    sources = {route.topic.name for route in toy.FLOW.routes}
    assert set(before) == {(topic, p) for topic in sources for p in range(settings.partitions)}
    await feed(settings, 10, 10, "ends")
    after = await eventually_async(told, lambda seen: seen is not None)
    assert after is not None
    assert sum(after[place] - before[place] for place in after if place[0] == CART_ADD.name) >= 10


def test_a_broker_that_does_not_answer_tells_no_ends(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_ends, "ANSWER_S", 0.5)
    with socket.socket() as deaf:
        deaf.bind((settings.host, 0))
        deaf.listen()
        nobody = settings.model_copy(update={"kafka": f"{settings.host}:{deaf.getsockname()[1]}"})
        assert SourceEnds(nobody, [toy.FLOW])() is None
