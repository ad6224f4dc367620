"""The product table: one record per SKU. A deleted product stays, inactive, so its versions go on."""

import msgspec

from schemas.product import ProductSnapshot
from tables.table import Table


class Product(msgspec.Struct, frozen=True, omit_defaults=True):
    """A product's public state, its version, and the ids of the latest commands that were answered."""

    snapshot: ProductSnapshot
    version: int
    applied: tuple[str, ...] = ()


PRODUCT = Table("product", Product)
