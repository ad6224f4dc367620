"""What stock shows over HTTP: to staff only, among what staff have."""

from api.inventory import routes
from api.surface import Surface

SURFACE = Surface(routers=(routes.router,))
