"""A connector before it has a broker."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest
from aiokafka import TopicPartition

from connectors.runtime.connector import SinkConnector
from connectors.runtime.consumer import KafkaReader
from connectors.runtime.dead_letters import DeadLetterTopic
from connectors.runtime.sizing import Limits
from sinks.redis import PROJECTIONS
from tests.unit.connectors.test_delivery import Memory
from topics.producer import MessageProducer
from topics.settings import Settings

SETTINGS = Settings(kafka="127.0.0.1:9")
LETTERS = DeadLetterTopic(MessageProducer(SETTINGS), "test", "ecommerce.test")


async def test_it_waits_for_the_broker_and_can_be_stopped_meanwhile() -> None:
    patient = Limits(poll_s=600.0)
    connector = SinkConnector(  # type: ignore[misc] # never written to
        "test", PROJECTIONS, Memory(set()), LETTERS, SETTINGS, group="ecommerce.test", limits=patient
    )
    running = asyncio.create_task(connector.run())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(running), 0.5)
    connector.stop()
    await asyncio.wait_for(running, 30)
    assert connector.healthy


@pytest.mark.parametrize("arguments", [{}, {"group": "g", "positions": {}}])
def test_it_reads_for_a_group_or_from_positions(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="either a group or positions"):
        SinkConnector("test", PROJECTIONS, Memory(set()), LETTERS, SETTINGS, **arguments)  # type: ignore[arg-type,misc] # wrong on purpose


async def test_only_positions_have_an_end() -> None:
    connector = SinkConnector("test", PROJECTIONS, Memory(set()), LETTERS, SETTINGS, group="g")  # type: ignore[misc] # never written to
    with pytest.raises(ValueError, match="with positions"):
        await connector.run(until={TopicPartition("t", 0): 1})


class CommitsOnly:
    """A reader that takes note of commits."""

    def __init__(self) -> None:
        self.commits: list[Mapping[TopicPartition, int]] = []

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.commits.append(dict(offsets))


async def test_commits_keep_apart_and_none_is_left_behind() -> None:
    apart = Limits(commits_apart_s=600.0)
    connector: SinkConnector[Any] = SinkConnector(
        "test", PROJECTIONS, Memory(set()), LETTERS, SETTINGS, group="g", limits=apart
    )
    reader, place, other = CommitsOnly(), TopicPartition("t", 0), TopicPartition("t", 1)
    connector._reader = cast("KafkaReader", reader)
    await connector._written({place: 1})
    await connector._written({place: 2, other: 7})
    assert reader.commits == [{place: 1}], "a batch is often one record"
    await connector.yielded({place}, lost=False)
    assert reader.commits[1:] == [{place: 2, other: 7}], "its next owner begins there"
    await connector._written({other: 8})
    await connector.yielded({other}, lost=True)
    await connector._commit()
    assert len(reader.commits) == 2, "what another member has is the other's to commit"
