"""Products and their stock as rows."""

from schemas.envelope import Message
from schemas.inventory import InventoryUpdated
from schemas.product import ProductSnapshot
from sinks.columns import extra, instant
from sinks.rows import ProductRow, StockLevelRow, StockMovementRow
from sinks.search.words import folded_product


def product_row(message: Message[ProductSnapshot]) -> tuple[ProductRow]:
    """Return the product; a deleted one stays, inactive, so that its version guards it."""
    data = message.data
    return (
        ProductRow(
            sku=message.aggregate_id,
            name=data.name,
            description=data.description,
            categories=list(data.categories),
            price=data.price,
            currency=data.currency,
            active=data.active,
            low_stock_threshold=data.low_stock_threshold,
            created_at=instant("created_at", data.created_at),
            updated_at=instant("updated_at", data.updated_at),
            version=message.aggregate_version,
            folded=folded_product(data.name, data.categories, data.description),
            extra=extra(message),
        ),
    )


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
