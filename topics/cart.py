"""Carts: commands of shoppers and of other flows, and what became of a cart. Keyed by cart id."""

from schemas import cart, service
from topics.topic import WEEK, Kind, Topic

CART_ADD = Topic("ecommerce.cart.add", cart.CartAdd, "cart_id", Kind.COMMAND, "cart", WEEK)
CART_CHANGE = Topic("ecommerce.cart.change", cart.CartChange, "cart_id", Kind.COMMAND, "cart", WEEK)
CART_REMOVE = Topic("ecommerce.cart.remove", cart.CartRemove, "cart_id", Kind.COMMAND, "cart", WEEK)
CART_CLEAR = Topic("ecommerce.cart.clear", cart.CartClear, "cart_id", Kind.COMMAND, "cart", WEEK)
CART_MERGE = Topic("ecommerce.cart.merge", cart.CartMerge, "cart_id", Kind.COMMAND, "cart", WEEK)
CART_ABSORB = Topic(
    "ecommerce.cart.absorb", cart.CartAbsorb, "cart_id", Kind.COMMAND, "cart", WEEK, inner=True
)
CART_RESTORE = Topic(
    "ecommerce.cart.restore", cart.CartRestore, "cart_id", Kind.COMMAND, "cart", WEEK, inner=True
)
CART_DUE = Topic("ecommerce.cart.due", service.TimerDue, "cart_id", Kind.TIMER, "cart", WEEK)
CART_UPDATED = Topic("ecommerce.cart.updated", cart.CartUpdated, "cart_id", Kind.EVENT, "cart")
CART_REJECTED = Topic("ecommerce.cart.rejected", cart.CartRejected, "cart_id", Kind.EVENT, "cart")
CART_ABANDONED = Topic("ecommerce.cart.abandoned", cart.CartAbandoned, "cart_id", Kind.EVENT, "cart")
