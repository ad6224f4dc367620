"""The stock agent: one record per SKU."""

from functools import partial

from streams.inventory.settings import StockSettings
from streams.inventory.stock import decide
from streams.inventory.stock.markers import sweep_due
from streams.kernel.flow import Flow, Route
from tables.inventory.stock import STOCK
from topics.registry import (
    INVENTORY_ADJUST,
    INVENTORY_COMMIT,
    INVENTORY_DUE,
    INVENTORY_LINE_REJECTED,
    INVENTORY_LINE_RESERVED,
    INVENTORY_LOW_STOCK,
    INVENTORY_RECEIVE,
    INVENTORY_REFUSED,
    INVENTORY_RELEASE,
    INVENTORY_RESERVE,
    INVENTORY_UPDATED,
    PRODUCT_CREATED,
    PRODUCT_DELETED,
    PRODUCT_UPDATED,
)

POLICY = StockSettings().policy()

FLOW = Flow(
    name="stock",
    table=STOCK,
    routes=(
        Route(INVENTORY_RECEIVE, partial(decide.receive, POLICY), (INVENTORY_UPDATED, INVENTORY_REFUSED)),
        Route(
            INVENTORY_ADJUST,
            partial(decide.adjust, POLICY),
            (INVENTORY_UPDATED, INVENTORY_LOW_STOCK, INVENTORY_REFUSED),
        ),
        Route(
            INVENTORY_RESERVE,
            partial(decide.reserve, POLICY),
            (INVENTORY_LINE_RESERVED, INVENTORY_LINE_REJECTED, INVENTORY_UPDATED, INVENTORY_LOW_STOCK),
        ),
        Route(INVENTORY_RELEASE, partial(decide.release, POLICY), (INVENTORY_UPDATED,)),
        Route(INVENTORY_COMMIT, partial(decide.commit, POLICY), (INVENTORY_UPDATED, INVENTORY_REFUSED)),
        Route(PRODUCT_CREATED, decide.know),
        Route(PRODUCT_UPDATED, decide.know),
        Route(PRODUCT_DELETED, decide.know),
        Route(INVENTORY_DUE, partial(decide.sweep, POLICY)),
    ),
    due=partial(sweep_due, POLICY),
    timer=INVENTORY_DUE,
)
