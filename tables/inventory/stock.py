"""The stock table: one record per SKU."""

from enum import StrEnum

import msgspec

from schemas.inventory import QuotedLine
from tables.parts import Parts
from tables.table import Table


class Settlement(StrEnum):
    """How an order's business with a SKU ended."""

    RELEASED = "released"
    COMMITTED = "committed"


class Reservation(msgspec.Struct, frozen=True, tag="reservation"):
    """An order's open reservation: `quantity` pieces, and the quotes that were answered."""

    quantity: int
    lines: tuple[QuotedLine, ...]


class Settled(msgspec.Struct, frozen=True, tag="settled"):
    """A marker: an order is done with this SKU, so its late messages have no effect."""

    settlement: Settlement


class Page(msgspec.Struct, frozen=True, tag="page"):
    """Orders that were marked one after the other, from `since` to `until` (ms).

    They are forgotten together.
    """

    orders: tuple[str, ...]
    since: int
    until: int


class Facts(msgspec.Struct, frozen=True):
    """What stock knows of the product. `price` is minor units of `currency`, `version` the product's.

    `created_at` (ms) is when it was put on sale, None where that was learnt before it was kept.
    """

    version: int
    name: str
    price: int
    currency: str
    active: bool
    low_stock_threshold: int
    created_at: int | None = None


class Stock(msgspec.Struct, frozen=True, omit_defaults=True):
    """A SKU's stock, in pieces.

    on_hand = received - committed, where `received` is net of adjustments; reserved = the sum of the `open`
    reservations; 0 <= reserved <= on_hand. `orders` has, by order id, reservations and then markers, and the
    markers' pages, numbered within `pages` (from, to); `oldest` is the first page's `until`. `applied` holds
    the latest receipts and adjustments. `facts` is None until the product is known: its events travel on
    other topics than the stock's commands. A flash sale has tens of thousands of orders: each is an entry of
    its own, so that an order does not write all the others again.
    """

    version: int = 0
    on_hand: int = 0
    reserved: int = 0
    received: int = 0
    committed: int = 0
    facts: Facts | None = None
    open: int = 0
    orders: Parts[Reservation | Settled | Page] = Parts()
    pages: tuple[int, int] = (0, 0)
    oldest: int = 0
    applied: tuple[str, ...] = ()

    @property
    def available(self) -> int:
        """Return the pieces that may still be reserved."""
        return self.on_hand - self.reserved

    @property
    def untouched(self) -> bool:
        """Whether nothing is known of the SKU: it never moved, and has no product."""
        return not self.version and self.facts is None and not self.applied and not self.orders


STOCK = Table("stock", Stock, parts="orders")
