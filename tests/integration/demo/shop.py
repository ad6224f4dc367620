"""What the platform would say of a shop's invoices, made from the messages that it is sent for them."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from connectors.retail.identity import cart_id, order_id
from connectors.retail.invoices import Invoice
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry
from deploy.demo.translate import letters, messages
from schemas.checkout import CheckoutRequested
from schemas.envelope import Message
from schemas.order import OrderKind, OrderLine, OrderReturn, OrderSnapshot, OrderStatus
from topics.command import command
from topics.registry import CART_ADD, ORDER_CONFIRMED

R = TypeVar("R")

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


def orders(
    shop: Iterable[Invoice], project: Callable[[Message[OrderSnapshot]], tuple[R, ...]]
) -> Iterable[Entry[R]]:
    """Return the shop's orders and returns, done and projected."""
    for invoice in shop:
        if invoice.accepted:
            status = OrderStatus.REFUNDED if invoice.returned else OrderStatus.CONFIRMED
            message = command(ORDER_CONFIRMED, order_id(invoice.number), snapshot(invoice, status))
            yield Entry(RECORD, project(message))


def rejected(shop: Iterable[Invoice]) -> Iterable[Record]:
    """Return the dead letters of the shop's rejected rows, as records."""
    offset = 0
    for invoice in shop:
        for letter in letters(invoice, "sales.parquet"):
            offset += 1
            headers = tuple((name, text.encode()) for name, text in letter.headers.items())
            yield Record(letter.topic.name, 0, offset, 0, letter.key, letter.value, headers)
