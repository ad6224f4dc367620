"""A database whose sink wrote before offsets stood beside its rows: the new one cannot know what it has.

It reads all again, as of a database that was emptied; rows have keys, so nothing is there twice.
"""

from functools import partial
from typing import NamedTuple

import asyncpg
import pytest

from connectors.postgres.offsets import Offsets
from connectors.postgres.sink import PostgresSink
from connectors.postgres.table import Table
from connectors.runtime.connector import SinkConnector
from connectors.runtime.dead_letters import DeadLetterTopic
from connectors.runtime.projection import RawProjection
from connectors.runtime.record import Record
from sinks.migrate import migrate
from sinks.verify.spans import behind, committed, spans
from tests.eventually import eventually_async
from tests.integration.sinks.own_topics import OwnTopics
from tests.integration.sinks.views import running
from tests.unit.sinks.messages import event, stock
from topics import registry as t
from topics.identity import topic_ids
from topics.producer import MessageProducer
from topics.settings import Settings

BEFORE = "0003"
"""The last revision without `sink_offsets`."""


class SeenRow(NamedTuple):
    partition: int
    at: int


SEEN = Table("seen", SeenRow, key=("partition", "at"))


def seen(record: Record) -> tuple[SeenRow]:
    return (SeenRow(record.partition, record.offset),)


async def test_a_sink_that_gets_offsets_reads_all_again_and_doubles_nothing(
    settings: Settings, own: OwnTopics, producer: MessageProducer, postgres: str, group_suffix: str
) -> None:
    topic, group = own.of(t.INVENTORY_UPDATED), f"ecommerce.test.{group_suffix}"

    def connector(offsets: Offsets | None) -> SinkConnector[SeenRow]:
        return SinkConnector(
            "postgres",
            [RawProjection(topic, seen, ("seen",))],
            PostgresSink(postgres, [SEEN], offsets=offsets),
            DeadLetterTopic(producer, "postgres", group),
            settings,
            group=group,
        )

    async def publish(versions: range) -> None:
        await own.publish(
            (t.INVENTORY_UPDATED, event(t.INVENTORY_UPDATED, f"{group}-{n % 8}", n, stock(n)))
            for n in versions
        )

    async def run(offsets: Offsets | None) -> dict[int, int]:
        """Let a sink come to the topic's ends, and return those by partition."""
        there = await spans(settings, [topic.name])
        async with running(connector(offsets)):
            await eventually_async(lambda: committed(settings, group), lambda has: not behind(there, has))
        return {place.partition: end for place, end in there.ends.items()}

    migrate(settings, revision=BEFORE)
    database = await asyncpg.connect(postgres)
    await database.execute("CREATE TABLE seen (partition integer, at bigint, PRIMARY KEY (partition, at))")
    await publish(range(1, 61))
    await run(None)
    with pytest.raises(asyncpg.UndefinedTableError):
        await database.execute("SELECT FROM sink_offsets")
    await publish(range(61, 91))

    migrate(settings)
    ends = await run(Offsets(group, partial(topic_ids, settings)))

    once = sorted((partition, at) for partition, end in ends.items() for at in range(end))
    rows = await database.fetch("SELECT partition, at FROM seen ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == once
    assert len(once) == 90
    stored = await database.fetch("SELECT partition, next_offset FROM sink_offsets WHERE sink = $1", group)
    assert dict(map(tuple, stored)) == {partition: end for partition, end in ends.items() if end}
    await database.close()
