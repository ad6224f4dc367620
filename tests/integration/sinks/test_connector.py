"""The shop's own topics and the PostgreSQL views: dead letters become rows, a replay gives equal views."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition

from connectors.postgres.sink import PostgresSink
from connectors.postgres.table import Row
from connectors.runtime.connector import SinkConnector
from connectors.runtime.dead_letters import DeadLetterTopic
from schemas.order import OrderStatus
from sinks.migrate import migrate
from sinks.postgres import PROJECTIONS, TABLES
from sinks.verify.spans import spans
from tests.eventually import eventually_async
from tests.integration.sinks.views import (
    Event,
    caught_up,
    connector,
    contents,
    publish,
    running,
)
from tests.stack import Stack
from tests.unit.sinks.messages import event, order, product, stock, uid
from topics import registry as t
from topics.producer import MessageProducer
from topics.settings import Settings

pytestmark = pytest.mark.usefixtures("topics_created", "views")


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[MessageProducer]:
    async with MessageProducer(settings, "test") as started:
        yield started


@pytest.fixture
def group(group_suffix: str) -> str:
    return f"ecommerce.test.{group_suffix}"


def story(name: str, orders: int = 40) -> list[Event]:
    """Return the events of some orders and of a product, told by names of this test's own."""
    sku = f"{name}-sku"
    events: list[Event] = [
        (t.PRODUCT_CREATED, event(t.PRODUCT_CREATED, sku, 1, product())),
        (t.PRODUCT_UPDATED, event(t.PRODUCT_UPDATED, sku, 2, product(price=300))),
    ]
    for index in range(orders):
        key = uid(f"{name}-{index}")
        events += [
            (t.ORDER_PLACED, event(t.ORDER_PLACED, key, 1, order())),
            (t.INVENTORY_UPDATED, event(t.INVENTORY_UPDATED, sku, index + 1, stock(100 - index))),
            (t.ORDER_CONFIRMED, event(t.ORDER_CONFIRMED, key, 2, order(OrderStatus.CONFIRMED))),
        ]
    return events


def own(views: dict[str, list[Any]], name: str, orders: int = 40) -> dict[str, list[Any]]:
    """Return the rows of the story: other tests tell one version of an order in more than one way."""
    names = {f"{name}-sku", *(uid(f"{name}-{index}") for index in range(orders))}
    return {
        table: [row for row in rows if names & {str(value) for value in row[:2]}]
        for table, rows in views.items()
    }


async def confirmed(database: asyncpg.Connection, name: str, orders: int = 40) -> int:
    keys = [uid(f"{name}-{index}") for index in range(orders)]
    found: int = await database.fetchval(
        "SELECT count(*) FROM orders WHERE status = 'confirmed' AND order_id = ANY($1::uuid[])", keys
    )
    return found


async def test_what_cannot_be_written_comes_back_as_rows_of_dead_letters(
    settings: Settings, producer: MessageProducer, database: asyncpg.Connection, views: str, group: str
) -> None:
    nameless = event(t.ORDER_PLACED, f"{group}-no-uuid", 1, order())
    spoilt = event(t.PRODUCT_CREATED, f"{group}-nul", 1, product("nul \x00"))
    await publish(producer, [(t.ORDER_PLACED, nameless), (t.PRODUCT_CREATED, spoilt)])
    for key, value in ((f"{group}-text", b"not avro"), (f"{group}-none", None)):
        await (await producer.send_raw(t.ORDER_PLACED, key.encode(), value, {"traceparent": "00-1"}))
    await publish(producer, story(group))
    async with running(connector(settings, producer, PostgresSink(views, TABLES), group)):
        await eventually_async(lambda: confirmed(database, group), lambda found: found == 40)
        letters = await eventually_async(
            lambda: database.fetch("SELECT * FROM dead_letters WHERE key LIKE $1 ORDER BY key", f"{group}-%"),
            lambda rows: len(rows) == 4,
        )
    assert [(row["key"].removeprefix(group), row["reason"]) for row in letters] == [
        ("-no-uuid", "unprojectable"),
        ("-none", "undecodable"),
        ("-nul", "refused"),
        ("-text", "undecodable"),
    ]
    assert letters[0]["error"] == f"aggregate_id: '{group}-no-uuid' is not a UUID"
    assert letters[3]["value"] == b"not avro"
    assert '"traceparent"' in letters[3]["headers"]
    refused, headers = letters[2], json.loads(letters[2]["headers"])
    assert (refused["domain"], refused["source_topic"]) == ("sink", t.PRODUCT_CREATED.name)
    assert refused["source_offset"] is not None
    assert (headers["target"], headers["code"]) == ("postgres", "22021"), "the view and its SQLSTATE"
    assert "0x00" in refused["error"]
    assert b"nul" in refused["value"], "the record's own bytes"


async def test_a_dead_letter_that_is_read_twice_is_one_row(
    settings: Settings, producer: MessageProducer, database: asyncpg.Connection, views: str, group: str
) -> None:
    letters = t.DEAD_LETTERS["import"]
    for _ in range(2):
        await (await producer.send_raw(letters, group.encode(), b"row", {"id": group, "reason": "price"}))
    await (await producer.send_raw(letters, group.encode(), b"\x00\xff", {"reason": "a\x00b"}))
    async with running(connector(settings, producer, PostgresSink(views, TABLES), group)):
        rows = await eventually_async(
            lambda: database.fetch("SELECT * FROM dead_letters WHERE key = $1 ORDER BY reason", group),
            lambda found: len(found) == 2,
        )
    assert [row["reason"] for row in rows] == ["a\N{REPLACEMENT CHARACTER}b", "price"]
    assert rows[1]["id"] == group
    assert rows[0]["id"].startswith(f"{letters.name}:0:")


async def test_a_replay_from_the_start_gives_equal_views(
    stack: Stack, settings: Settings, producer: MessageProducer, database: asyncpg.Connection, group: str
) -> None:
    await publish(producer, story(group))
    topics = [each.topic.name for each in PROJECTIONS]
    async with running(connector(settings, producer, PostgresSink(settings.postgres_dsn, TABLES), group)):
        await eventually_async(lambda: caught_up(settings, group))
    ends = (await spans(settings, topics)).ends
    await _replay(settings, producer, group, ends)  # over what is there
    once = own(await contents(database), group)
    assert [len(once[table]) for table in ("orders", "order_lines", "stock_movements")] == [40, 80, 40]
    other = settings.model_copy(update={"postgres": stack.fresh_database()})
    await asyncio.to_thread(migrate, other)
    await _replay(other, producer, group, ends)  # into an empty database
    second = await asyncpg.connect(other.postgres_dsn)
    found = own(await contents(second), group)
    await second.close()
    assert found == once


async def _replay(
    settings: Settings, producer: MessageProducer, group: str, ends: Mapping[TopicPartition, int]
) -> None:
    # The same consumer refuses the same records: its letters are the ones that are there.
    replaying: SinkConnector[Row] = SinkConnector(
        "postgres",
        PROJECTIONS,
        PostgresSink(settings.postgres_dsn, TABLES),
        DeadLetterTopic(producer, "postgres", group),
        settings,
        positions=dict.fromkeys(ends, 0),
    )
    await replaying.run(until=ends)
