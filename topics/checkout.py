"""Checkouts: requested under a cart id, then keyed by order id."""

from schemas import checkout
from topics.topic import WEEK, Kind, Topic

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
