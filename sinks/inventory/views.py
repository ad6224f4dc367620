"""What shows stock: the level of each SKU, and its movements, as rows."""

from connectors.runtime.projection import Projection
from sinks.declaration import DomainViews
from sinks.inventory.projectors import stock_level_row, stock_movement_row
from sinks.inventory.rows import STOCK_LEVELS, STOCK_MOVEMENTS
from topics.inventory import INVENTORY_UPDATED

VIEWS = DomainViews(
    tables=(STOCK_LEVELS, STOCK_MOVEMENTS),
    postgres=(
        Projection(
            INVENTORY_UPDATED,
            stock_movement_row,
            (STOCK_LEVELS.name, STOCK_MOVEMENTS.name),
            latest=stock_level_row,
        ),
    ),
)
