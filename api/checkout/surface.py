"""What checkout shows over HTTP."""

from api.checkout import pages, routes
from api.checkout.models import CheckoutRequest
from api.short_way import Command
from api.surface import V1, Surface, Tag

SURFACE = Surface(
    tag=Tag("checkout", "Buying the cart."),
    routers=(routes.router,),
    pages=(pages.router,),
    short_commands=(
        Command(f"{V1}/checkout", "/checkout", CheckoutRequest, routes.checkout_directly, key_required=True),
    ),
)
