"""What the shop has in stock beside the replay's need. Pure: a rerun brings in what is missing and no more.

The months' receipts cover what their invoices sell. Shoppers buy from the same stock; so before a replay
every SKU is filled up to where, once the replay has sold what it has to, its shelf is full.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from connectors.retail.catalogue import Product
from connectors.retail.identity import order_id, receipt_id, restock_id
from connectors.retail.invoices import Invoice
from deploy.demo.translate import SOURCE, Outgoing
from schemas.inventory import InventoryReceive
from topics.command import command
from topics.registry import INVENTORY_RECEIVE

LEAST_PIECES = 12
"""On the shelf of a product that hardly ever sells."""


class Level(msgspec.Struct, frozen=True):
    """What a view shows of a SKU's stock: pieces that can be bought, and the version of that."""

    available: int = 0
    version: int = 0


def shelf(product: Product) -> int:
    """Return the pieces that should be left to shoppers: what a month that sells the product needs."""
    return max(LEAST_PIECES, sum(product.needs.values()) // max(1, len(product.needs)))


def to_send(invoices: Iterable[Invoice], existing: Collection[str]) -> dict[str, Counter[str]]:
    """Return the pieces that the replay has yet to sell, by month and SKU."""
    months: dict[str, Counter[str]] = {}
    for invoice in invoices:
        if not invoice.returned and order_id(invoice.number) not in existing:
            pieces = months.setdefault(invoice.month, Counter())
            for line in invoice.goods:
                pieces[line.sku] += line.quantity
    return months


def restocks(
    products: Iterable[Product],
    levels: Mapping[str, Level],
    sells: Mapping[str, Counter[str]],
    received: Collection[str],
) -> Iterator[Outgoing]:
    """Return the receipts by which no month runs short and every shelf is full at the end.

    `sells` is what is yet to be sent, by month in order; `received` the months' receipts that have come in.
    The ids follow from the stock's version: the same state asks for the same receipt, which is applied once.
    """
    for product in products:
        level = levels.get(product.sku, Level())
        left = level.available
        after: list[int] = []
        for month, pieces in sells.items():
            if receipt_id(product.sku, month) not in received:
                left += product.needs.get(month, 0)
            left -= pieces[product.sku]
            after.append(left)
        short = shelf(product) - min(after, default=left)
        if short > 0:
            receipt = restock_id(product.sku, level.version)
            data = InventoryReceive(receipt_id=receipt, quantity=short, reason="restock")
            message = command(INVENTORY_RECEIVE, product.sku, data, event_id=receipt, source=SOURCE)
            yield Outgoing(INVENTORY_RECEIVE, product.sku, message)
