"""Products and their availability as parts of documents of Elasticsearch."""

from connectors.elasticsearch.index import Patch
from schemas.envelope import Message
from schemas.inventory import InventoryUpdated
from schemas.product import ProductSnapshot
from sinks.product.index import PRODUCTS
from sinks.search.words import folded_product, words


def product_patch(message: Message[ProductSnapshot]) -> tuple[Patch]:
    """Return the product's part of its document; a deleted one stays, inactive, and its version guards it.

    A deletion of the document would be forgotten after `index.gc_deletes`, and an older event that comes
    later, as in a rebuild, would bring the product back.
    """
    data = message.data
    sku, (name, *others) = (
        message.aggregate_id,
        folded_product(data.name, data.categories, data.description),
    )
    fields = {
        "sku": sku,
        "name": data.name,
        "title": [name, sku],
        "document": [name, sku, *others],
        "words": sorted(set(words(data.name))),
        "description": data.description,
        "categories": list(data.categories),
        "price": data.price,
        "currency": data.currency,
        "active": data.active,
        "low_stock_threshold": data.low_stock_threshold,
        "created_at": data.created_at,
        "updated_at": data.updated_at,
    }
    return (Patch(PRODUCTS.alias, message.aggregate_id, "version", message.aggregate_version, fields),)


def availability_patch(message: Message[InventoryUpdated]) -> tuple[Patch]:
    """Return the stock's part of the product's document, under the stock's own version."""
    fields = {"available": message.data.available, "sold": message.data.committed}
    return (Patch(PRODUCTS.alias, message.aggregate_id, "stock_version", message.aggregate_version, fields),)
