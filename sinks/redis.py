"""What feeds the Redis views: message -> value -> key."""

from connectors.redis.value import Value
from connectors.runtime.projection import AnyProjection, Projection
from sinks.projectors.cached_product import newest_product
from sinks.projectors.cart import cart_value
from topics import registry as t

GROUP = "ecommerce.sink.redis"

CART_TTL_S = 30 * 24 * 60 * 60
"""A cart that nothing happens to for thirty days, as long as a guest's cookie, leaves Redis."""

_NEWEST = ("product:{sku}:newest",)

PROJECTIONS: tuple[AnyProjection[Value], ...] = (
    Projection(t.CART_UPDATED, cart_value, ("cart:{cart_id}",)),
    Projection(t.PRODUCT_CREATED, newest_product, _NEWEST),
    Projection(t.PRODUCT_UPDATED, newest_product, _NEWEST),
    Projection(t.PRODUCT_DELETED, newest_product, _NEWEST),
)
