"""Reading stock levels and their movements."""

from typing import Protocol

from api.inventory.models import StockLevel, StockMovement
from api.views import Views

_SHOWN = 20


class Stock(Protocol):
    """Reads stock levels."""

    async def level(self, sku: str) -> StockLevel | None:
        """Return a SKU's level with its newest movements."""
        ...


class PostgresStock:
    """Stock levels in the views' database."""

    def __init__(self, views: Views) -> None:
        self._views = views

    async def level(self, sku: str) -> StockLevel | None:
        """Return a SKU's level with its newest movements."""
        row = await self._views.row(
            "SELECT sku, on_hand, reserved, available, received, committed, threshold, version, "
            "(extract(epoch FROM updated_at) * 1000)::bigint AS updated_at "
            "FROM stock_levels WHERE sku = $1",
            sku,
        )
        if row is None:
            return None
        movements = await self._views.rows(
            "SELECT kind, quantity, reference, reason, version, "
            "(extract(epoch FROM occurred_at) * 1000)::bigint AS occurred_at "
            "FROM stock_movements WHERE sku = $1 ORDER BY version DESC LIMIT $2",
            sku,
            _SHOWN,
        )
        return StockLevel(**dict(row), movements=[StockMovement(**dict(each)) for each in movements])
