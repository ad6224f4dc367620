"""Products; all keyed by SKU. Prices are minor units of `currency`."""

from typing import Annotated

import msgspec

from schemas.bounds import CATEGORIES, LongText, ShortText


class ProductCreate(msgspec.Struct, frozen=True):
    """Put a product on sale."""

    name: LongText
    price: int
    currency: ShortText
    description: LongText = ""
    categories: Annotated[tuple[LongText, ...], CATEGORIES] = ()
    low_stock_threshold: int = 10


class ProductUpdate(msgspec.Struct, frozen=True):
    """Change what is given; a field left out (null) stays as it is."""

    name: LongText | None = None
    description: LongText | None = None
    categories: Annotated[tuple[LongText, ...], CATEGORIES] | None = None
    price: int | None = None
    low_stock_threshold: int | None = None


class ProductDelete(msgspec.Struct, frozen=True):
    """Take a product off sale. Its stock and its orders stay."""

    reason: ShortText | None = None


class ProductSnapshot(msgspec.Struct, frozen=True):
    """The product's full public state after a change: the data of every product event."""

    name: str
    description: str
    categories: tuple[str, ...]
    price: int
    currency: str
    low_stock_threshold: int
    active: bool
    created_at: int
    updated_at: int


class ProductRejected(msgspec.Struct, frozen=True):
    """A command that was refused: which rule, on which field; the product is as it was."""

    command: str
    reason: str
    field: str
    detail: str
