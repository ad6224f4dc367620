"""The catalogue that both back ends are searched with, as events of its products and stock."""

from collections.abc import Mapping

from connectors.runtime.record import Record
from schemas.product import ProductSnapshot
from tests.unit.sinks.messages import NOW, event, product, stock
from tests.unit.sinks.records import record
from topics import registry as t

PRODUCTS = {
    "85123A": product(
        "White hanging heart t-light holder",
        price=255,
        categories=("Lighting", "Hearts"),
        created_at=NOW + 1,
    ),
    "71053": product("White metal lantern", price=339, categories=("Lighting",), created_at=NOW + 2),
    "84029G": product(
        "Knitted union flag hot water bottle", price=375, categories=("Warmth",), created_at=NOW + 3
    ),
    "22086": product(
        "Paper chain kit 50's Christmas", price=95, categories=("Christmas", "Paper"), created_at=NOW + 4
    ),
    "22910": product(
        "Paper chain kit vintage <Christmas>",
        price=250,
        categories=("Christmas", "Paper"),
        created_at=NOW + 5,
    ),
    "21733": product(
        "Red hanging heart t-light holder",
        price=2500,
        categories=("Lighting", "Hearts"),
        description="Burns candles of every make.",
        created_at=NOW + 6,
    ),
    "22000": product("Retired lantern", price=100, categories=("Lighting",), active=False),
}
STOCK = {"85123A": 12, "71053": 0, "84029G": 3, "22086": 7, "21733": 1, "22000": 5}


def later(products: Mapping[str, ProductSnapshot]) -> list[Record]:
    """Return the records by which products become what is given."""
    return [
        record(t.PRODUCT_UPDATED, event(t.PRODUCT_UPDATED, sku, 2, data)) for sku, data in products.items()
    ]


# Stock comes first: the parts of a document meet in any order.
RECORDS = [
    *(
        record(t.INVENTORY_UPDATED, event(t.INVENTORY_UPDATED, sku, 1, stock(left)))
        for sku, left in STOCK.items()
    ),
    *(record(t.PRODUCT_CREATED, event(t.PRODUCT_CREATED, sku, 1, data)) for sku, data in PRODUCTS.items()),
]
