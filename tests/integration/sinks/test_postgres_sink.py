"""The PostgreSQL sink on a real server: versions, redelivery, and whose fault an error is."""

import random
from collections.abc import Iterable
from typing import Any

import asyncpg
import msgspec
import pytest

from connectors.postgres.sink import PostgresSink
from connectors.postgres.table import Row
from connectors.runtime.record import Record
from connectors.runtime.sink import BatchRefusedError, Entry, SinkUnavailableError
from schemas.envelope import Message
from schemas.order import OrderLine, OrderStatus
from schemas.payment import PaymentStatus
from schemas.product import ProductSnapshot
from sinks.postgres import PROJECTIONS, TABLES
from sinks.product.projectors import product_row
from tests.unit.sinks.messages import PLACED_AT, abandoned, event, order, payment, product, stock, uid
from tests.unit.sinks.records import batch, record
from topics import registry as t
from topics.topic import Topic

ORDER = uid("order")


async def write(sink: PostgresSink, records: Iterable[Record]) -> None:
    assert await sink.write(batch(PROJECTIONS, records)) == ()


async def contents(database: asyncpg.Connection) -> dict[str, list[Any]]:
    return {
        table.name: [tuple(row) for row in await database.fetch(f"SELECT * FROM {table.name} ORDER BY 1, 2")]
        for table in TABLES
    }


def of(topic: Topic[ProductSnapshot], version: int, **changes: Any) -> Record:
    return record(topic, event(topic, "85123A", version, product(**changes)))


def story() -> list[Record]:
    """Return events of two orders, their payment, stock and products, in the order that they happened."""
    lines = order().lines
    confirmed = order(OrderStatus.CONFIRMED, lines=lines[:1], goods=1530, total=3330)
    other = uid("other order")
    messages: list[tuple[Topic[Any], Message[Any]]] = [
        (t.PRODUCT_CREATED, event(t.PRODUCT_CREATED, "85123A", 1, product(price=100))),
        (t.INVENTORY_UPDATED, event(t.INVENTORY_UPDATED, "85123A", 1, stock(20))),
        (t.PRODUCT_UPDATED, event(t.PRODUCT_UPDATED, "85123A", 2, product(price=255))),
        (t.ORDER_PLACED, event(t.ORDER_PLACED, ORDER, 1, order())),
        (t.INVENTORY_UPDATED, event(t.INVENTORY_UPDATED, "85123A", 2, stock(14, reserved=6))),
        (t.PAYMENT_COMPLETED, event(t.PAYMENT_COMPLETED, ORDER, 1, payment())),
        (t.ORDER_CONFIRMED, event(t.ORDER_CONFIRMED, ORDER, 2, confirmed)),
        (t.PAYMENT_CAPTURED, event(t.PAYMENT_CAPTURED, ORDER, 2, payment(PaymentStatus.CAPTURED))),
        (t.ORDER_PLACED, event(t.ORDER_PLACED, other, 1, order(charges=()))),
        (t.ORDER_CANCELLED, event(t.ORDER_CANCELLED, other, 2, order(OrderStatus.CANCELLED, charges=()))),
        (t.CART_ABANDONED, event(t.CART_ABANDONED, uid("cart"), 9, abandoned("71053"))),
        (t.PRODUCT_DELETED, event(t.PRODUCT_DELETED, "85123A", 3, product(active=False))),
    ]
    return [record(topic, message, offset) for offset, (topic, message) in enumerate(messages)]


async def test_the_highest_version_wins_whatever_the_order_of_arrival(
    sink: PostgresSink, database: asyncpg.Connection
) -> None:
    await write(sink, [of(t.PRODUCT_UPDATED, 3, price=300)])
    await write(sink, [of(t.PRODUCT_CREATED, 1, price=100), of(t.PRODUCT_UPDATED, 2, price=200)])
    assert await database.fetchval("SELECT price FROM products") == 300
    await write(sink, [of(t.PRODUCT_UPDATED, 5, price=500), of(t.PRODUCT_UPDATED, 4, price=400)])
    assert await database.fetchrow("SELECT price, version FROM products") == (500, 5)


async def test_a_deleted_product_stays_inactive_and_an_older_event_does_not_bring_it_back(
    sink: PostgresSink, database: asyncpg.Connection
) -> None:
    await write(sink, [of(t.PRODUCT_DELETED, 2, active=False)])
    await write(sink, [of(t.PRODUCT_CREATED, 1)])
    assert await database.fetchrow("SELECT active, version FROM products") == (False, 2)


async def test_lines_and_charges_follow_the_order_that_won(
    sink: PostgresSink, database: asyncpg.Connection
) -> None:
    placed = order(lines=(OrderLine("a", "85123A", 1), OrderLine("b", "71053", 2)))
    confirmed = order(
        OrderStatus.CONFIRMED, lines=(OrderLine("b", "71053", 2, "White metal lantern", 339),), charges=()
    )
    await write(sink, [record(t.ORDER_CONFIRMED, event(t.ORDER_CONFIRMED, ORDER, 2, confirmed))])
    await write(sink, [record(t.ORDER_PLACED, event(t.ORDER_PLACED, ORDER, 1, placed))])
    rows = await database.fetch("SELECT line_id, ordinal, unit_price FROM order_lines")
    assert [tuple(row) for row in rows] == [("b", 1, 339)]
    assert await database.fetchval("SELECT count(*) FROM order_charges") == 0
    events = await database.fetch("SELECT status FROM order_events ORDER BY version")
    assert [row["status"] for row in events] == ["placed", "confirmed"], (
        "the older event is an event all the same"
    )


async def test_a_thousand_lines_are_replaced_as_a_whole(
    sink: PostgresSink, database: asyncpg.Connection
) -> None:
    many = tuple(OrderLine(f"{index}", f"sku-{index}", 1, "x", 1) for index in range(1200))
    await write(sink, [record(t.ORDER_PLACED, event(t.ORDER_PLACED, ORDER, 1, order(lines=many)))])
    fewer = order(OrderStatus.CONFIRMED, lines=many[:1000])
    await write(sink, [record(t.ORDER_CONFIRMED, event(t.ORDER_CONFIRMED, ORDER, 2, fewer))])
    assert await database.fetchrow("SELECT count(*), max(ordinal) FROM order_lines") == (1000, 1000)


async def test_redelivery_changes_nothing(sink: PostgresSink, database: asyncpg.Connection) -> None:
    await write(sink, story())
    once = await contents(database)
    assert {table: len(rows) for table, rows in once.items()} == {
        "products": 1,
        "stock_levels": 1,
        "stock_movements": 2,
        "orders": 2,
        "order_lines": 3,
        "order_charges": 1,
        "order_events": 4,
        "payments": 1,
        "carts_abandoned": 1,
        "dead_letters": 0,
    }
    await write(sink, story())
    await write(sink, story()[3:7])
    assert await contents(database) == once


@pytest.mark.parametrize("seed", range(5))
async def test_any_order_and_any_batches_give_the_same_views(
    sink: PostgresSink, database: asyncpg.Connection, seed: int
) -> None:
    await write(sink, story())
    expected = await contents(database)
    tables = ", ".join(table.name for table in TABLES)
    await database.execute(f"TRUNCATE {tables}")
    chance = random.Random(seed)
    shuffled = chance.sample(story() * 2, k=2 * len(story()))
    while shuffled:
        size = chance.randint(1, 6)
        await write(sink, shuffled[:size])
        shuffled = shuffled[size:]
    assert await contents(database) == expected


async def test_times_are_utc_and_money_stays_whole(sink: PostgresSink, database: asyncpg.Connection) -> None:
    await write(sink, [record(t.ORDER_PLACED, event(t.ORDER_PLACED, ORDER, 1, order()))])
    row = await database.fetchrow(
        "SELECT to_char(placed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS at, total, address FROM orders"
    )
    assert row is not None
    assert (row["at"], row["total"]) == ("2010-12-01 08:26", 4008)
    assert msgspec.json.decode(row["address"])["country"] == "United Kingdom"
    assert PLACED_AT == 1_291_191_960_000


@pytest.mark.parametrize(
    "bad",
    [
        product(name="a\x00b"),  # no text of PostgreSQL holds NUL
        product(price=2**63),  # does not fit a bigint
        product(categories=("x" * 3000, "\x00")),
    ],
)
async def test_a_batch_is_refused_for_what_is_in_it_and_nothing_of_it_is_written(
    sink: PostgresSink, database: asyncpg.Connection, bad: ProductSnapshot
) -> None:
    good = of(t.PRODUCT_CREATED, 1)
    entry: Entry[Row] = Entry(good, product_row(event(t.PRODUCT_CREATED, "bad", 1, bad)))
    with pytest.raises(BatchRefusedError):
        await sink.write([*batch(PROJECTIONS, [good]), entry])
    assert await database.fetchval("SELECT count(*) FROM products") == 0
    await write(sink, [good])
    assert await database.fetchval("SELECT count(*) FROM products") == 1


async def test_the_same_line_twice_in_an_order_is_refused_not_dropped(sink: PostgresSink) -> None:
    doubled = order(lines=(OrderLine("a", "x", 1), OrderLine("a", "x", 1)))
    with pytest.raises(BatchRefusedError, match="order_lines"):
        await write(sink, [record(t.ORDER_PLACED, event(t.ORDER_PLACED, ORDER, 1, doubled))])


async def test_a_missing_table_is_not_the_datas_fault(
    sink: PostgresSink, database: asyncpg.Connection
) -> None:
    await write(sink, [of(t.PRODUCT_CREATED, 1)])
    await database.execute("ALTER TABLE products RENAME TO away")
    with pytest.raises(SinkUnavailableError, match="products"):
        await write(sink, [of(t.PRODUCT_UPDATED, 2)])
    await database.execute("ALTER TABLE away RENAME TO products")
    await write(sink, [of(t.PRODUCT_UPDATED, 2)])
    assert await database.fetchval("SELECT version FROM products") == 2


async def test_a_server_that_is_away_is_unavailable() -> None:
    away = PostgresSink("postgresql://nobody@127.0.0.1:9/none", TABLES)
    with pytest.raises(SinkUnavailableError):
        await away.write(batch(PROJECTIONS, [of(t.PRODUCT_CREATED, 1)]))


async def test_a_cut_connection_is_made_again(sink: PostgresSink, database: asyncpg.Connection) -> None:
    await write(sink, [of(t.PRODUCT_CREATED, 1)])
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'ecommerce-sink' AND datname = current_database()"
    )
    with pytest.raises(SinkUnavailableError):
        await write(sink, [of(t.PRODUCT_UPDATED, 2)])
    await write(sink, [of(t.PRODUCT_UPDATED, 2)])
    assert await database.fetchval("SELECT version FROM products") == 2
