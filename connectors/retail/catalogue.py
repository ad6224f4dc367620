"""The products behind a file's goods, and how many pieces of each are needed in each month.

A product is a distinct SKU that was sold or taken back at a price at least once: its name is its most common
description, its price the latest of a sale (of a return where it was never sold). A code that only ever
stands at zero price (130 in the bundled file: write-offs and stock corrections) has no price and is no
product.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

from connectors.retail.categories import category
from connectors.retail.invoices import Invoice
from connectors.retail.names import display_name
from schemas.bounds import SHORT

MAX_DESCRIPTION = 10_000


class Product(msgspec.Struct, frozen=True):
    """A product of the shop: `price` in minor units, `needs` in pieces per month (YYYY-MM) that sells any."""

    sku: str
    name: str
    description: str
    category: str
    price: int
    needs: dict[str, int]


def catalogue(invoices: Iterable[Invoice], longest: int = SHORT.most) -> dict[str, Product]:
    """Return the products of all goods in an ordered stream of invoices, by SKU in order.

    A name of more than `longest` characters is cut; the description has all of it.
    """
    described: defaultdict[str, Counter[str]] = defaultdict(Counter)
    needs: defaultdict[str, Counter[str]] = defaultdict(Counter)
    sold_at: dict[str, int] = {}
    returned_at: dict[str, int] = {}
    for invoice in invoices:
        prices = returned_at if invoice.returned else sold_at
        for line in invoice.goods:
            # The stream is ordered by time, so the last price seen is the latest.
            prices[line.sku] = line.unit_price
            if line.description:
                described[line.sku][line.description] += 1
            if not invoice.returned:
                needs[line.sku][invoice.month] += line.quantity
    products = {}
    for sku in sorted(sold_at | returned_at):
        commonest = described[sku].most_common(1)
        description = " ".join(commonest[0][0].split()) if commonest else ""
        products[sku] = Product(
            sku=sku,
            name=display_name(description)[:longest].rstrip() or sku,
            description=description[:MAX_DESCRIPTION],
            category=category(description),
            price=sold_at.get(sku, returned_at.get(sku, 0)),
            needs=dict(needs[sku]),
        )
    return products
