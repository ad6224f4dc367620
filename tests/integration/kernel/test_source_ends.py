"""What the watchdog asks the broker: where the sources end; nothing of one that does not answer."""

import asyncio
import socket

import pytest

from streams.kernel import source_ends
from streams.kernel.source_ends import SourceEnds
from tests.integration.kernel.workers import feed
from tests.topology.kernel import toy
from topics.registry import CART_ADD
from topics.settings import Settings


async def test_the_ends_of_all_sources_are_told(settings: Settings, topics_created: str) -> None:
    assert topics_created
    ends = SourceEnds(settings, [toy.FLOW])
    before = await asyncio.to_thread(ends)
    assert before is not None
    sources = {route.topic.name for route in toy.FLOW.routes}
    assert set(before) == {(topic, p) for topic in sources for p in range(settings.partitions)}
    await feed(settings, 10, 10, "ends")
    after = await asyncio.to_thread(ends)
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
