"""The figures read from PostgreSQL, against rows made by the sinks' own projections of a shop's orders."""

import pytest

from connectors.postgres.sink import PostgresSink
from connectors.retail.figures import monthly
from connectors.retail.invoices import Invoice, invoices
from connectors.retail.reading import BUNDLED, read_rows
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry
from deploy.demo.postgres import PostgresViews
from deploy.demo.reconcile import compare
from deploy.demo.replay import order_ids, rejected_rows
from schemas.inventory import InventoryUpdated, Movement, MovementKind
from sinks.dead_letters.projectors import dead_letter_row
from sinks.inventory.projectors import stock_level_row, stock_movement_row
from sinks.migrate import migrate
from sinks.order.projectors import order_rows
from sinks.postgres import TABLES
from tests.integration.demo.shop import orders, rejected
from topics.command import command
from topics.registry import INVENTORY_UPDATED
from topics.settings import Settings


@pytest.fixture(scope="module")
def shop() -> list[Invoice]:
    """Return three days of the bundled file, with returns, charges and rejected rows."""
    return [i for i in invoices(read_rows(BUNDLED)) if i.month == "2010-12"][:400]


async def write(dsn: str, shop: list[Invoice]) -> None:
    sink = PostgresSink(dsn, TABLES)
    assert not await sink.write(list(orders(shop, order_rows)))
    assert not await sink.write([Entry(record, dead_letter_row(record)) for record in rejected(shop)])
    await sink.close()


async def test_views_that_hold_the_shop_reconcile(
    postgres: str, settings: Settings, shop: list[Invoice]
) -> None:
    migrate(settings)
    await write(postgres, shop)
    came_in = monthly(shop)
    assert came_in["2010-12"].returns > 0
    assert came_in["2010-12"].rejected_rows > 0
    async with PostgresViews(postgres) as views:
        held = await views.figures(order_ids(shop), rejected_rows(shop))
        assert compare("postgres", came_in, held) == []
        assert await views.existing_orders(order_ids(shop)) == set(order_ids(shop))
        assert await views.existing_letters(list(rejected_rows(shop))) == set(rejected_rows(shop))


async def test_only_what_was_replayed_is_compared(
    postgres: str, settings: Settings, shop: list[Invoice]
) -> None:
    migrate(settings)
    await write(postgres, shop)
    some = shop[:150]
    async with PostgresViews(postgres) as views:
        held = await views.figures(order_ids(some), rejected_rows(some))
    assert compare("postgres", monthly(some), held) == []


async def test_a_lost_order_and_a_cancelled_one_are_seen(
    postgres: str, settings: Settings, shop: list[Invoice]
) -> None:
    migrate(settings)
    sales = [i for i in shop if i.accepted and not i.returned]
    await write(postgres, [i for i in shop if i is not sales[0]])
    async with PostgresViews(postgres) as views:
        held = await views.figures(order_ids(shop), rejected_rows(shop))
    found = {d.figure: d for d in compare("postgres", monthly(shop), held)}
    assert found["sales"].file - found["sales"].shown == 1
    lost = sum(line.amount for line in sales[0].goods) + sum(c.amount for c in sales[0].charges)
    assert found["gross"].file - found["gross"].shown == lost


async def test_receipts_that_were_applied_are_known(postgres: str, settings: Settings) -> None:
    migrate(settings)
    level = InventoryUpdated(7, 0, 7, 7, 0, 10, Movement(MovementKind.RECEIVE, 7, "receipt-1", "opening"))
    message = command(INVENTORY_UPDATED, "22423", level)
    sink = PostgresSink(postgres, TABLES)
    assert not await sink.write(
        [Entry(Record("", 0, 0, 0, None, None), (*stock_level_row(message), *stock_movement_row(message)))]
    )
    await sink.close()
    async with PostgresViews(postgres) as views:
        assert await views.existing_receipts(["receipt-1", "receipt-2"]) == {"receipt-1"}


async def test_what_is_on_sale_is_nothing_before_the_first_load(postgres: str, settings: Settings) -> None:
    migrate(settings)
    async with PostgresViews(postgres) as views:
        assert await views.on_sale() == {}
