"""What shows carts: each living one under its key, the abandoned ones as rows."""

from connectors.runtime.projection import Projection
from sinks.cart.projectors import abandoned_cart_row, cart_value
from sinks.cart.rows import CARTS_ABANDONED
from sinks.declaration import DomainViews
from topics.cart import CART_ABANDONED, CART_UPDATED

_CARTS = "cart:*"

VIEWS = DomainViews(
    tables=(CARTS_ABANDONED,),
    postgres=(Projection(CART_ABANDONED, abandoned_cart_row, (CARTS_ABANDONED.name,)),),
    keys=(_CARTS,),
    redis=(Projection(CART_UPDATED, cart_value, (_CARTS,)),),
)
