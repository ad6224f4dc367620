"""What feeds the PostgreSQL views: message -> rows -> tables."""

from connectors.postgres.table import Row
from connectors.runtime.projection import AnyProjection, Projection, RawProjection
from sinks.projectors.cart import abandoned_cart_row
from sinks.projectors.dead_letter import dead_letter_row
from sinks.projectors.order import order_event_row, order_rejected_rows, order_rows, payment_row
from sinks.projectors.product import product_row, stock_level_row, stock_movement_row
from topics import registry as t

GROUP = "ecommerce.sink.postgres"

_STOCK = ("stock_levels", "stock_movements")
_ORDER = ("orders", "order_lines", "order_charges", "order_events")

PROJECTIONS: tuple[AnyProjection[Row], ...] = (
    Projection(t.PRODUCT_CREATED, product_row, ("products",)),
    Projection(t.PRODUCT_UPDATED, product_row, ("products",)),
    Projection(t.PRODUCT_DELETED, product_row, ("products",)),
    Projection(t.INVENTORY_UPDATED, stock_movement_row, _STOCK, latest=stock_level_row),
    Projection(t.ORDER_PLACED, order_event_row, _ORDER, latest=order_rows),
    Projection(t.ORDER_CONFIRMED, order_event_row, _ORDER, latest=order_rows),
    Projection(t.ORDER_PROCESSING, order_event_row, _ORDER, latest=order_rows),
    Projection(t.ORDER_SHIPPED, order_event_row, _ORDER, latest=order_rows),
    Projection(t.ORDER_DELIVERED, order_event_row, _ORDER, latest=order_rows),
    Projection(t.ORDER_CANCELLED, order_event_row, _ORDER, latest=order_rows),
    Projection(t.ORDER_RETURNED, order_event_row, _ORDER, latest=order_rows),
    Projection(t.ORDER_REFUNDED, order_event_row, _ORDER, latest=order_rows),
    Projection(t.ORDER_REJECTED, order_rejected_rows, ("order_events",)),
    Projection(t.PAYMENT_COMPLETED, payment_row, ("payments",)),
    Projection(t.PAYMENT_FAILED, payment_row, ("payments",)),
    Projection(t.PAYMENT_CAPTURED, payment_row, ("payments",)),
    Projection(t.PAYMENT_VOIDED, payment_row, ("payments",)),
    Projection(t.PAYMENT_REFUNDED, payment_row, ("payments",)),
    Projection(t.CART_ABANDONED, abandoned_cart_row, ("carts_abandoned",)),
    *(RawProjection(letters, dead_letter_row, ("dead_letters",)) for letters in t.DEAD_LETTERS.values()),
)
