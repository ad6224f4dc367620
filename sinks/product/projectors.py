"""Products as rows."""

from schemas.envelope import Message
from schemas.product import ProductSnapshot
from sinks.columns import extra, instant
from sinks.product.rows import ProductRow
from sinks.search.words import folded_product


def product_row(message: Message[ProductSnapshot]) -> tuple[ProductRow]:
    """Return the product; a deleted one stays, inactive, so that its version guards it."""
    data = message.data
    return (
        ProductRow(
            sku=message.aggregate_id,
            name=data.name,
            description=data.description,
            categories=list(data.categories),
            price=data.price,
            currency=data.currency,
            active=data.active,
            low_stock_threshold=data.low_stock_threshold,
            created_at=instant("created_at", data.created_at),
            updated_at=instant("updated_at", data.updated_at),
            version=message.aggregate_version,
            folded=folded_product(data.name, data.categories, data.description),
            extra=extra(message),
        ),
    )
