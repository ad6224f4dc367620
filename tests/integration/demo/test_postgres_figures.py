"""The figures read from PostgreSQL, against rows made by the sinks' own projections of a shop's orders."""

from collections.abc import Iterable

import pytest

from connectors.postgres.sink import PostgresSink
from connectors.retail.figures import monthly
from connectors.retail.identity import cart_id, order_id
from connectors.retail.invoices import Invoice, invoices
from connectors.retail.reading import BUNDLED, read_rows
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry
from deploy.demo.postgres import PostgresViews
from deploy.demo.reconcile import compare
from deploy.demo.replay import order_ids, rejected_rows
from deploy.demo.translate import letters, messages
from schemas.checkout import CheckoutRequested
from schemas.order import OrderKind, OrderLine, OrderReturn, OrderSnapshot, OrderStatus
from sinks.migrate import migrate
from sinks.projectors.dead_letter import dead_letter_row
from sinks.projectors.order import order_rows
from sinks.rows import TABLES
from topics.command import command
from topics.registry import CART_ADD, ORDER_CONFIRMED
from topics.settings import Settings

RECORD = Record("ecommerce.order.confirmed", 0, 0, 0, None, None)


def snapshot(invoice: Invoice, status: OrderStatus) -> OrderSnapshot:
    """Return what the platform would say of the invoice, made from the messages that it is sent."""
    sent = list(messages(invoice, "GBP"))
    last = sent[-1].message.data
    assert isinstance(last, CheckoutRequested | OrderReturn)
    lines = tuple(
        OrderLine(line.line_id, line.sku, line.quantity, unit_price=line.agreed_price)
        for out in sent
        if out.topic == CART_ADD or isinstance(out.message.data, OrderReturn)
        for line in out.message.data.lines
    )
    goods = sum(line.quantity * (line.unit_price or 0) for line in lines)
    charged = sum(charge.quantity * charge.amount for charge in last.charges)
    assert last.placed_at is not None
    return OrderSnapshot(
        kind=OrderKind.RETURN if invoice.returned else OrderKind.SALE,
        status=status,
        cart_id=None if invoice.returned else cart_id(invoice.number),
        user_id=None,
        email=None,
        address=last.address,
        currency="GBP",
        lines=lines,
        charges=last.charges,
        goods=goods,
        charged=charged,
        total=goods + charged,
        payment_token=last.payment_token,
        placed_at=last.placed_at,
        updated_at=last.placed_at,
    )


def entries(shop: Iterable[Invoice], offset: int = 0) -> Iterable[Entry[tuple[object, ...]]]:
    for invoice in shop:
        if invoice.accepted:
            status = OrderStatus.REFUNDED if invoice.returned else OrderStatus.CONFIRMED
            key = order_id(invoice.number)
            message = command(ORDER_CONFIRMED, key, snapshot(invoice, status))
            yield Entry(RECORD, order_rows(message))
        for letter in letters(invoice, "sales.parquet"):
            offset += 1
            headers = tuple((name, text.encode()) for name, text in letter.headers.items())
            record = Record(letter.topic.name, 0, offset, 0, letter.key, letter.value, headers)
            yield Entry(record, dead_letter_row(record))


@pytest.fixture(scope="module")
def shop() -> list[Invoice]:
    """Return three days of the bundled file, with returns, charges and rejected rows."""
    return [i for i in invoices(read_rows(BUNDLED)) if i.month == "2010-12"][:400]


async def write(dsn: str, shop: Iterable[Invoice]) -> None:
    sink = PostgresSink(dsn, TABLES)
    assert not await sink.write(list(entries(shop)))
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
    lost = sum(line.amount for line in (*sales[0].goods, *sales[0].charges))
    assert found["gross"].file - found["gross"].shown == lost


async def test_what_is_on_sale_is_nothing_before_the_first_load(postgres: str, settings: Settings) -> None:
    migrate(settings)
    async with PostgresViews(postgres) as views:
        assert await views.on_sale() == {}
