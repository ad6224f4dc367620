"""Stock as rows."""

from schemas.envelope import Message
from schemas.inventory import InventoryUpdated
from sinks.columns import extra, instant
from sinks.inventory.rows import StockLevelRow, StockMovementRow


def stock_level_row(message: Message[InventoryUpdated]) -> tuple[StockLevelRow]:
    """Return the SKU's stock as it stands after the event."""
    data = message.data
    return (
        StockLevelRow(
            sku=message.aggregate_id,
            on_hand=data.on_hand,
            reserved=data.reserved,
            available=data.available,
            received=data.received,
            committed=data.committed,
            threshold=data.low_stock_threshold,
            version=message.aggregate_version,
            updated_at=instant("occurred_at", message.occurred_at),
            extra=extra(message),
        ),
    )


def stock_movement_row(message: Message[InventoryUpdated]) -> tuple[StockMovementRow]:
    """Return the movement that the event tells."""
    movement = message.data.movement
    # By position: there are more movements than anything else.
    return (
        StockMovementRow(
            message.aggregate_id,
            message.aggregate_version,
            movement.kind.value,
            movement.quantity,
            movement.reference,
            movement.reason,
            instant("occurred_at", message.occurred_at),
            extra(message),
        ),
    )
