"""What shows products: rows of the catalogue, documents of search, and the newest version for caches."""

from connectors.runtime.projection import Projection
from sinks.declaration import DomainViews
from sinks.product.cached import newest_product
from sinks.product.document import availability_patch, product_patch
from sinks.product.index import PRODUCTS as INDEX
from sinks.product.projectors import product_row
from sinks.product.rows import PRODUCTS
from topics.inventory import INVENTORY_UPDATED
from topics.product import PRODUCT_EVENTS

_STOCKS = frozenset({"available", "sold"})
_VERSIONS = frozenset({"version", "stock_version"})
_NEWEST = "product:*:newest"

VIEWS = DomainViews(
    tables=(PRODUCTS,),
    postgres=tuple(Projection(topic, product_row, (PRODUCTS.name,)) for topic in PRODUCT_EVENTS),
    indices=(INDEX,),
    elasticsearch=(
        *(Projection(topic, product_patch, (INDEX.alias,)) for topic in PRODUCT_EVENTS),
        Projection(INVENTORY_UPDATED, availability_patch, (INDEX.alias,)),
    ),
    guards={
        INDEX.alias: {
            "stock_version": _STOCKS,
            "version": frozenset(INDEX.mappings["properties"]) - _STOCKS - _VERSIONS,
        }
    },
    keys=(_NEWEST,),
    redis=tuple(Projection(topic, newest_product, (_NEWEST,)) for topic in PRODUCT_EVENTS),
)
