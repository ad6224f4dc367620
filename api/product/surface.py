"""What products show over HTTP."""

from api.product import pages, routes
from api.short_way import Reading
from api.surface import V1, Surface, Tag

SURFACE = Surface(
    tag=Tag("catalogue", "Products and search."),
    routers=(routes.products, routes.search_router),
    pages=(pages.router,),
    short_readings=(Reading(f"{V1}/products", "/products/{sku}", routes.get_product_directly),),
)
