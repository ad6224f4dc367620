"""Inventory: stock keyed by SKU, and an order's allocation over the stocks keyed by order id."""

from schemas import inventory, service
from topics.topic import WEEK, Kind, Topic

INVENTORY_RECEIVE = Topic(
    "ecommerce.inventory.receive", inventory.InventoryReceive, "sku", Kind.COMMAND, "stock", WEEK
)
INVENTORY_ADJUST = Topic(
    "ecommerce.inventory.adjust", inventory.InventoryAdjust, "sku", Kind.COMMAND, "stock", WEEK
)
INVENTORY_RESERVE = Topic(
    "ecommerce.inventory.reserve", inventory.InventoryReserve, "sku", Kind.COMMAND, "stock", WEEK, inner=True
)
INVENTORY_RELEASE = Topic(
    "ecommerce.inventory.release", inventory.InventoryRelease, "sku", Kind.COMMAND, "stock", WEEK, inner=True
)
INVENTORY_COMMIT = Topic(
    "ecommerce.inventory.commit", inventory.InventoryCommit, "sku", Kind.COMMAND, "stock", WEEK, inner=True
)
INVENTORY_DUE = Topic("ecommerce.inventory.due", service.TimerDue, "sku", Kind.TIMER, "stock", WEEK)
INVENTORY_UPDATED = Topic(
    "ecommerce.inventory.updated", inventory.InventoryUpdated, "sku", Kind.EVENT, "stock"
)
INVENTORY_LOW_STOCK = Topic(
    "ecommerce.inventory.low_stock", inventory.InventoryLowStock, "sku", Kind.EVENT, "stock"
)
INVENTORY_REFUSED = Topic(
    "ecommerce.inventory.refused", inventory.InventoryRefused, "sku", Kind.EVENT, "stock"
)
INVENTORY_LINE_RESERVED = Topic(
    "ecommerce.inventory.line_reserved", inventory.LineReserved, "order_id", Kind.EVENT, "allocation", WEEK
)
INVENTORY_LINE_REJECTED = Topic(
    "ecommerce.inventory.line_rejected", inventory.LineRejected, "order_id", Kind.EVENT, "allocation", WEEK
)
INVENTORY_RESERVED = Topic(
    "ecommerce.inventory.reserved", inventory.InventoryReserved, "order_id", Kind.EVENT, "allocation"
)
INVENTORY_REJECTED = Topic(
    "ecommerce.inventory.rejected", inventory.InventoryRejected, "order_id", Kind.EVENT, "allocation"
)
ALLOCATION_DUE = Topic(
    "ecommerce.inventory.allocation_due", service.TimerDue, "order_id", Kind.TIMER, "allocation", WEEK
)
