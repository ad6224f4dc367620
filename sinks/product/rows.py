"""The rows of the products."""

from datetime import datetime
from typing import NamedTuple

from connectors.postgres.table import Table


class ProductRow(NamedTuple):
    """A product, on sale while `active`.

    `folded` is what search finds it by (`sinks.search.words`); rows of an older release have none.
    """

    sku: str
    name: str
    description: str
    categories: list[str]
    price: int
    currency: str
    active: bool
    low_stock_threshold: int
    created_at: datetime
    updated_at: datetime
    version: int
    extra: str | None = None
    folded: list[str] | None = None


PRODUCTS = Table("products", ProductRow, key=("sku",), version="version")
