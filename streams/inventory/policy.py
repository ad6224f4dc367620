"""The rules of inventory that a shop may set for itself."""

import msgspec


class StockPolicy(msgspec.Struct, frozen=True):
    """Rules of a SKU's stock.

    `low_stock_threshold` (pieces) holds until the product's own is known. `max_level` is the most pieces that
    a SKU may have. An order's marker stays `marker_retention_ms` at least, and is swept within twice
    `marker_sweep_ms` after that. `remembered_movements` is how many receipts and adjustments a SKU recognises
    when they come again.
    """

    low_stock_threshold: int = 10
    max_level: int = 1_000_000_000
    marker_retention_ms: int = 3_600_000
    marker_sweep_ms: int = 600_000
    remembered_movements: int = 256


class AllocationPolicy(msgspec.Struct, frozen=True):
    """Rules of an order's allocation: an ended one leaves the table after `retention_ms`.

    An order whose quotes come to another total than its buyer agreed to is refused; with `lower_total_passes`
    a lower one is charged without asking again.
    """

    retention_ms: int = 3_600_000
    lower_total_passes: bool = False
