"""The product agent: one record per SKU."""

from functools import partial

from streams.kernel.flow import Flow, Route
from streams.product import decide
from streams.product.settings import ProductSettings
from tables.product import PRODUCT
from topics.registry import (
    PRODUCT_CREATE,
    PRODUCT_CREATED,
    PRODUCT_DELETE,
    PRODUCT_DELETED,
    PRODUCT_REJECTED,
    PRODUCT_UPDATE,
    PRODUCT_UPDATED,
)

POLICY = ProductSettings().policy()

FLOW = Flow(
    name="product",
    table=PRODUCT,
    routes=(
        Route(PRODUCT_CREATE, partial(decide.create, POLICY), (PRODUCT_CREATED, PRODUCT_REJECTED)),
        Route(PRODUCT_UPDATE, partial(decide.update, POLICY), (PRODUCT_UPDATED, PRODUCT_REJECTED)),
        Route(PRODUCT_DELETE, partial(decide.delete, POLICY), (PRODUCT_DELETED, PRODUCT_REJECTED)),
    ),
)
