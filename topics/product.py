"""Products: commands of staff, and the product after each. Keyed by SKU."""

from schemas import product
from topics.topic import WEEK, Kind, Topic

PRODUCT_CREATE = Topic(
    "ecommerce.product.create", product.ProductCreate, "sku", Kind.COMMAND, "product", WEEK
)
PRODUCT_UPDATE = Topic(
    "ecommerce.product.update", product.ProductUpdate, "sku", Kind.COMMAND, "product", WEEK
)
PRODUCT_DELETE = Topic(
    "ecommerce.product.delete", product.ProductDelete, "sku", Kind.COMMAND, "product", WEEK
)
PRODUCT_CREATED = Topic("ecommerce.product.created", product.ProductSnapshot, "sku", Kind.EVENT, "product")
PRODUCT_UPDATED = Topic("ecommerce.product.updated", product.ProductSnapshot, "sku", Kind.EVENT, "product")
PRODUCT_DELETED = Topic("ecommerce.product.deleted", product.ProductSnapshot, "sku", Kind.EVENT, "product")
PRODUCT_REJECTED = Topic("ecommerce.product.rejected", product.ProductRejected, "sku", Kind.EVENT, "product")

PRODUCT_EVENTS = (PRODUCT_CREATED, PRODUCT_UPDATED, PRODUCT_DELETED)
"""What tells of a change: each has the whole product as it is then."""
