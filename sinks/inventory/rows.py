"""The rows of the SKUs' stock and its movements."""

from datetime import datetime
from typing import NamedTuple

from connectors.postgres.table import Table


class StockLevelRow(NamedTuple):
    """A SKU's stock, in pieces."""

    sku: str
    on_hand: int
    reserved: int
    available: int
    received: int
    committed: int
    threshold: int
    version: int
    updated_at: datetime
    extra: str | None = None


class StockMovementRow(NamedTuple):
    """A change of a SKU's stock; `version` is the stock's version after it."""

    sku: str
    version: int
    kind: str
    quantity: int
    reference: str
    reason: str
    occurred_at: datetime
    extra: str | None = None


STOCK_LEVELS = Table("stock_levels", StockLevelRow, key=("sku",), version="version")
STOCK_MOVEMENTS = Table("stock_movements", StockMovementRow, key=("sku", "version"))
