"""What carts show over HTTP."""

from api.cart import pages, routes
from api.cart.models import NewItem
from api.short_way import Command
from api.surface import V1, Surface, Tag

SURFACE = Surface(
    tag=Tag("cart", "A user's or guest's cart."),
    routers=(routes.router,),
    pages=(pages.router,),
    short_commands=(Command(f"{V1}/cart/items", "/cart/items", NewItem, routes.add_item_directly),),
)
