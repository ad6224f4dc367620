"""Products, their availability and orders as documents of Elasticsearch."""

from connectors.elasticsearch.index import Document, Patch
from schemas.envelope import Message
from schemas.inventory import InventoryUpdated
from schemas.order import OrderSnapshot
from schemas.product import ProductSnapshot
from sinks.indices import ORDERS, PRODUCTS
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


def order_document(message: Message[OrderSnapshot]) -> tuple[Document]:
    """Return the order as it stands after the event."""
    data = message.data
    address = data.address
    source = {
        "order_id": message.aggregate_id,
        "kind": data.kind.value,
        "status": data.status.value,
        "cart_id": data.cart_id,
        "user_id": data.user_id,
        "email": data.email,
        "customer": None if address is None else address.name,
        "country": None if address is None else address.country,
        "currency": data.currency,
        "goods": data.goods,
        "charged": data.charged,
        "total": data.total,
        "placed_at": data.placed_at,
        "updated_at": data.updated_at,
        "reason": data.reason,
        "tracking": data.tracking,
        "version": message.aggregate_version,
        "line_count": len(data.lines),
        "charge_count": len(data.charges),
        "units": sum(line.quantity for line in data.lines),
        "lines": [
            {
                "line_id": line.line_id,
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
            }
            for line in data.lines
        ],
        "charges": [
            {
                "code": charge.code,
                "description": charge.description,
                "quantity": charge.quantity,
                "amount": charge.amount,
            }
            for charge in data.charges
        ],
    }
    return (Document(ORDERS.alias, message.aggregate_id, message.aggregate_version, source),)
