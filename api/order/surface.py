"""What orders show over HTTP."""

from api.order import pages, routes
from api.surface import Surface, Tag

SURFACE = Surface(
    tag=Tag("orders", "Orders and their progress."), routers=(routes.router,), pages=(pages.router,)
)
