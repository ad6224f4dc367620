"""The registry: every topic of the platform, once. No topic's name is written anywhere else.

Events are kept for ever, because views are rebuilt from them; commands and timers for a week.
"""

from typing import Any

import msgspec

from schemas import cart, checkout, inventory, order, payment, product, service, user
from topics.topic import DAY_MS, Cleanup, Kind, RawTopic, Topic, changelog, dead_letters

WEEK = 7 * DAY_MS

# cart: keyed by cart id
CART_ADD = Topic("ecommerce.cart.add", cart.CartAdd, "cart_id", Kind.COMMAND, "cart", WEEK)
CART_CHANGE = Topic("ecommerce.cart.change", cart.CartChange, "cart_id", Kind.COMMAND, "cart", WEEK)
CART_REMOVE = Topic("ecommerce.cart.remove", cart.CartRemove, "cart_id", Kind.COMMAND, "cart", WEEK)
CART_CLEAR = Topic("ecommerce.cart.clear", cart.CartClear, "cart_id", Kind.COMMAND, "cart", WEEK)
CART_MERGE = Topic("ecommerce.cart.merge", cart.CartMerge, "cart_id", Kind.COMMAND, "cart", WEEK)
CART_ABSORB = Topic("ecommerce.cart.absorb", cart.CartAbsorb, "cart_id", Kind.COMMAND, "cart", WEEK)
CART_RESTORE = Topic("ecommerce.cart.restore", cart.CartRestore, "cart_id", Kind.COMMAND, "cart", WEEK)
CART_DUE = Topic("ecommerce.cart.due", service.TimerDue, "cart_id", Kind.TIMER, "cart", WEEK)
CART_UPDATED = Topic("ecommerce.cart.updated", cart.CartUpdated, "cart_id", Kind.EVENT, "cart")
CART_REJECTED = Topic("ecommerce.cart.rejected", cart.CartRejected, "cart_id", Kind.EVENT, "cart")
CART_ABANDONED = Topic("ecommerce.cart.abandoned", cart.CartAbandoned, "cart_id", Kind.EVENT, "cart")

# checkout: requested by cart id, then keyed by order id
CHECKOUT_REQUESTED = Topic(
    "ecommerce.checkout.requested", checkout.CheckoutRequested, "cart_id", Kind.COMMAND, "cart", WEEK
)
CHECKOUT_STARTED = Topic(
    "ecommerce.checkout.started", checkout.CheckoutStarted, "order_id", Kind.EVENT, "checkout"
)
CHECKOUT_COMPLETED = Topic(
    "ecommerce.checkout.completed", checkout.CheckoutCompleted, "order_id", Kind.EVENT, "checkout"
)
CHECKOUT_FAILED = Topic(
    "ecommerce.checkout.failed", checkout.CheckoutFailed, "order_id", Kind.EVENT, "checkout"
)

# order: keyed by order id
ORDER_CANCEL = Topic("ecommerce.order.cancel", order.OrderCancel, "order_id", Kind.COMMAND, "order", WEEK)
ORDER_ADVANCE = Topic("ecommerce.order.advance", order.OrderAdvance, "order_id", Kind.COMMAND, "order", WEEK)
ORDER_RETURN = Topic("ecommerce.order.return", order.OrderReturn, "order_id", Kind.COMMAND, "order", WEEK)
ORDER_DUE = Topic("ecommerce.order.due", service.TimerDue, "order_id", Kind.TIMER, "order", WEEK)
ORDER_PLACED = Topic("ecommerce.order.placed", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_CONFIRMED = Topic("ecommerce.order.confirmed", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_PROCESSING = Topic("ecommerce.order.processing", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_SHIPPED = Topic("ecommerce.order.shipped", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_DELIVERED = Topic("ecommerce.order.delivered", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_CANCELLED = Topic("ecommerce.order.cancelled", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_RETURNED = Topic("ecommerce.order.returned", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_REFUNDED = Topic("ecommerce.order.refunded", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_REJECTED = Topic("ecommerce.order.rejected", order.OrderRejected, "order_id", Kind.EVENT, "order")

# inventory: stock keyed by SKU, an order's allocation keyed by order id
INVENTORY_RECEIVE = Topic(
    "ecommerce.inventory.receive", inventory.InventoryReceive, "sku", Kind.COMMAND, "stock", WEEK
)
INVENTORY_ADJUST = Topic(
    "ecommerce.inventory.adjust", inventory.InventoryAdjust, "sku", Kind.COMMAND, "stock", WEEK
)
INVENTORY_RESERVE = Topic(
    "ecommerce.inventory.reserve", inventory.InventoryReserve, "sku", Kind.COMMAND, "stock", WEEK
)
INVENTORY_RELEASE = Topic(
    "ecommerce.inventory.release", inventory.InventoryRelease, "sku", Kind.COMMAND, "stock", WEEK
)
INVENTORY_COMMIT = Topic(
    "ecommerce.inventory.commit", inventory.InventoryCommit, "sku", Kind.COMMAND, "stock", WEEK
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

# payment: keyed by order id
PAYMENT_REFUND = Topic(
    "ecommerce.payment.refund", payment.PaymentRefund, "order_id", Kind.COMMAND, "payment", WEEK
)
PAYMENT_INSTRUCT = Topic(
    "ecommerce.payment.instruct", payment.PaymentInstruction, "order_id", Kind.COMMAND, "payment", WEEK
)
PAYMENT_OUTCOME = Topic(
    "ecommerce.payment.outcome", payment.PaymentOutcome, "order_id", Kind.EVENT, "payment", WEEK
)
PAYMENT_DUE = Topic("ecommerce.payment.due", service.TimerDue, "order_id", Kind.TIMER, "payment", WEEK)
PAYMENT_COMPLETED = Topic(
    "ecommerce.payment.completed", payment.PaymentSnapshot, "order_id", Kind.EVENT, "payment"
)
PAYMENT_FAILED = Topic("ecommerce.payment.failed", payment.PaymentSnapshot, "order_id", Kind.EVENT, "payment")
PAYMENT_CAPTURED = Topic(
    "ecommerce.payment.captured", payment.PaymentSnapshot, "order_id", Kind.EVENT, "payment"
)
PAYMENT_VOIDED = Topic("ecommerce.payment.voided", payment.PaymentSnapshot, "order_id", Kind.EVENT, "payment")
PAYMENT_REFUNDED = Topic(
    "ecommerce.payment.refunded", payment.PaymentSnapshot, "order_id", Kind.EVENT, "payment"
)

# product: keyed by SKU
PRODUCT_CREATE = Topic(
    "ecommerce.product.create", product.ProductCreate, "sku", Kind.COMMAND, "product", WEEK
)
PRODUCT_UPDATE = Topic(
    "ecommerce.product.update", product.ProductUpdate, "sku", Kind.COMMAND, "product", WEEK
)
PRODUCT_DELETE = Topic(
    "ecommerce.product.delete", product.ProductDelete, "sku", Kind.COMMAND, "product", WEEK
)
PRODUCT_CREATED = Topic("ecommerce.product.created", product.ProductSnapshot, "sku", Kind.EVENT, "product")
PRODUCT_UPDATED = Topic("ecommerce.product.updated", product.ProductSnapshot, "sku", Kind.EVENT, "product")
PRODUCT_DELETED = Topic("ecommerce.product.deleted", product.ProductSnapshot, "sku", Kind.EVENT, "product")
PRODUCT_REJECTED = Topic("ecommerce.product.rejected", product.ProductRejected, "sku", Kind.EVENT, "product")

# user: keyed by user id, published from the accounts' outbox
USER_REGISTERED = Topic("ecommerce.user.registered", user.UserSnapshot, "user_id", Kind.EVENT, "user")
USER_UPDATED = Topic("ecommerce.user.updated", user.UserSnapshot, "user_id", Kind.EVENT, "user")

# service health
SERVICE_PING = Topic(
    "ecommerce.service.ping", service.ServicePing, "ping_id", Kind.HEALTH, "service", DAY_MS, partitions=1
)
SERVICE_PONG = Topic(
    "ecommerce.service.pong", service.ServicePong, "ping_id", Kind.HEALTH, "service", DAY_MS, partitions=1
)

TOPICS: dict[str, Topic[msgspec.Struct]] = {
    topic.name: topic for topic in list(globals().values()) if isinstance(topic, Topic)
}

INNER_COMMANDS: frozenset[Topic[Any]] = frozenset(
    {
        CART_ABSORB,
        CART_RESTORE,
        INVENTORY_RESERVE,
        INVENTORY_RELEASE,
        INVENTORY_COMMIT,
        PAYMENT_REFUND,
    }
)
"""Commands that only flows give, to each other: nobody outside may give them."""

DEAD_LETTERS: dict[str, RawTopic] = {
    domain: dead_letters(domain)
    for domain in (
        "cart",
        "checkout",
        "import",
        "inventory",
        "order",
        "payment",
        "product",
        "service",
        "sink",
        "user",
    )
}

# What became of dead letters that were sent again, by the letter's id.
REDRIVES = RawTopic("ecommerce.service.redrives", cleanup=Cleanup.COMPACT, partitions=1)

# Records that somebody has told a consumer to leave, by consumer and place.
SKIPS = RawTopic("ecommerce.service.skips", cleanup=Cleanup.COMPACT, partitions=1)

# The schemas that any release has written with, by their ids.
SCHEMAS = RawTopic("ecommerce.service.schemas", cleanup=Cleanup.COMPACT, partitions=1)

TABLES = ("cart", "stock", "allocation", "order", "payment", "product")
CHANGELOGS: dict[str, RawTopic] = {table: changelog(table) for table in TABLES}
