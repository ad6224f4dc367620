"""What feeds the Elasticsearch views: message -> documents and parts of documents -> indices."""

from connectors.elasticsearch.index import Write
from connectors.runtime.projection import AnyProjection, Projection
from sinks.indices import ORDERS, PRODUCTS
from sinks.projectors.document import availability_patch, order_document, product_patch
from topics import registry as t

GROUP = "ecommerce.sink.elasticsearch"

PROJECTIONS: tuple[AnyProjection[Write], ...] = (
    Projection(t.PRODUCT_CREATED, product_patch, (PRODUCTS.alias,)),
    Projection(t.PRODUCT_UPDATED, product_patch, (PRODUCTS.alias,)),
    Projection(t.PRODUCT_DELETED, product_patch, (PRODUCTS.alias,)),
    Projection(t.INVENTORY_UPDATED, availability_patch, (PRODUCTS.alias,)),
    Projection(t.ORDER_PLACED, order_document, (ORDERS.alias,)),
    Projection(t.ORDER_CONFIRMED, order_document, (ORDERS.alias,)),
    Projection(t.ORDER_PROCESSING, order_document, (ORDERS.alias,)),
    Projection(t.ORDER_SHIPPED, order_document, (ORDERS.alias,)),
    Projection(t.ORDER_DELIVERED, order_document, (ORDERS.alias,)),
    Projection(t.ORDER_CANCELLED, order_document, (ORDERS.alias,)),
    Projection(t.ORDER_RETURNED, order_document, (ORDERS.alias,)),
    Projection(t.ORDER_REFUNDED, order_document, (ORDERS.alias,)),
)
