"""The shop whose search is judged: every product of the bundled file, with its sales up to May 2011."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from connectors.retail.catalogue import catalogue
from connectors.retail.invoices import invoices
from connectors.retail.reading import BUNDLED, read_rows
from connectors.runtime.record import Record
from tests.unit.sinks.messages import event, product, stock
from tests.unit.sinks.records import record
from topics import registry as t

LATER = "2011-06"
"""The first month that only the judgements know."""

PIECES = 10_000


class Good(NamedTuple):
    """A product: `sold_before` and `sold_later` are pieces sold up to May 2011, and from June on."""

    sku: str
    name: str
    description: str
    category: str
    price: int
    sold_before: int
    sold_later: int


@cache
def goods() -> tuple[Good, ...]:
    """Return the file's products by SKU."""
    found = []
    for each in catalogue(invoices(read_rows(BUNDLED))).values():
        sold: Counter[bool] = Counter()
        for month, pieces in each.needs.items():
            sold[month >= LATER] += pieces
        found.append(
            Good(each.sku, each.name, each.description, each.category, each.price, sold[False], sold[True])
        )
    return tuple(found)


def records() -> Iterator[Record]:
    """Yield the products and their stock as the topics have them."""
    for good in goods():
        shown = product(
            good.name, description=good.description, categories=(good.category,), price=good.price
        )
        yield record(t.PRODUCT_CREATED, event(t.PRODUCT_CREATED, good.sku, 1, shown))
        level = stock(PIECES, received=PIECES + good.sold_before, committed=good.sold_before)
        yield record(t.INVENTORY_UPDATED, event(t.INVENTORY_UPDATED, good.sku, 1, level))
