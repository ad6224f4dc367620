"""A newer release's fields in the views of this one, and in the column that a later revision gives them."""

from typing import Any

import asyncpg
import msgspec
import pytest

from connectors.postgres.sink import PostgresSink
from connectors.runtime.record import Record
from schemas.envelope import Message
from schemas.order import OrderStatus
from sinks.postgres import PROJECTIONS
from tests.unit.schemas.newer import newer_schema, written
from tests.unit.sinks.messages import event, order, product, stock, uid
from tests.unit.sinks.records import batch, record
from topics import registry as t
from topics.topic import Topic

NOTE = {"name": "gift_note", "type": ["null", "string"], "default": None}
COLOUR = {"name": "colour", "type": "string", "default": "none"}


async def test_unknown_fields_are_kept_and_become_a_column(
    sink: PostgresSink, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def newer(topic: Topic[Any], message: Message[Any], at: str, field: Any, values: Any) -> Record:
        value = written(monkeypatch, newer_schema(topic.name, {at: field}), message, {"data": values})
        plain = record(topic, message)
        return msgspec.structs.replace(plain, value=value)

    key, other = uid("order"), uid("other order")
    records = [
        newer(
            t.ORDER_PLACED,
            event(t.ORDER_PLACED, key, 1, order()),
            "OrderSnapshot",
            NOTE,
            {"gift_note": "with love"},
        ),
        record(t.ORDER_PLACED, event(t.ORDER_PLACED, other, 1, order())),
    ]
    for each in records:
        assert await sink.write(batch(PROJECTIONS, [each])) == ()
    kept = {"data": {"gift_note": "with love"}}
    for table in ("orders", "order_events"):
        rows = await database.fetch(f"SELECT order_id::text, extra FROM {table}")
        assert {row[0]: msgspec.json.decode(row[1] or "null") for row in rows} == {key: kept, other: None}

    # What the revision of the newer release does, while this one's sink runs on.
    await database.execute("ALTER TABLE orders ADD COLUMN gift_note text")
    await database.execute("UPDATE orders SET gift_note = extra -> 'data' ->> 'gift_note'")
    assert (
        await database.fetchval("SELECT gift_note FROM orders WHERE order_id = $1::uuid", key) == "with love"
    )
    confirmed = event(t.ORDER_CONFIRMED, other, 2, order(OrderStatus.CONFIRMED))
    assert await sink.write(batch(PROJECTIONS, [record(t.ORDER_CONFIRMED, confirmed)])) == ()
    assert (
        await database.fetchval("SELECT status FROM orders WHERE order_id = $1::uuid", other) == "confirmed"
    )


async def test_each_view_keeps_them(
    sink: PostgresSink, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    views: tuple[tuple[Topic[Any], Message[Any], tuple[str, ...]], ...] = (
        (t.PRODUCT_CREATED, event(t.PRODUCT_CREATED, "a", 1, product()), ("products",)),
        (
            t.INVENTORY_UPDATED,
            event(t.INVENTORY_UPDATED, "a", 1, stock(1)),
            ("stock_levels", "stock_movements"),
        ),
    )
    for topic, message, tables in views:
        name = topic.data.__name__
        value = written(
            monkeypatch, newer_schema(topic.name, {name: COLOUR}), message, {"data": {"colour": "red"}}
        )
        newer = msgspec.structs.replace(record(topic, message), value=value)
        assert await sink.write(batch(PROJECTIONS, [newer])) == ()
        for table in tables:
            extra = await database.fetchval(f"SELECT extra -> 'data' ->> 'colour' FROM {table}")
            assert extra == "red", table
