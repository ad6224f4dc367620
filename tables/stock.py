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


class Settled(msgspec.Struct, frozen=True, array_like=True):
    """A marker: an order is done with this SKU since `at` (ms), so its late messages have no effect."""

    settlement: Settlement
    at: int


class Reservation(msgspec.Struct, frozen=True):
    """An order's open reservation: `quantity` pieces, and the quotes that were answered."""

    quantity: int
    lines: tuple[QuotedLine, ...]


class Facts(msgspec.Struct, frozen=True):
    """What stock knows of the product. `price` is minor units of `currency`, `version` the product's."""

    version: int
    name: str
    price: int
    currency: str
    active: bool
    low_stock_threshold: int


class Stock(msgspec.Struct, frozen=True, omit_defaults=True):
    """A SKU's stock, in pieces.

    on_hand = received - committed, where `received` is net of adjustments; reserved = the sum of
    `reservations` (by order id); 0 <= reserved <= on_hand. `settled` holds the markers by order id, oldest
    first; `applied` the latest receipts and adjustments. `facts` is None until the product is known: its
    events travel on other topics than the stock's commands. A flash sale has tens of thousands of open
    reservations: each is an entry of its own, so that an order does not write all the others again.
    """

    version: int = 0
    on_hand: int = 0
    reserved: int = 0
    received: int = 0
    committed: int = 0
    facts: Facts | None = None
    reservations: Parts[Reservation] = Parts()
    settled: dict[str, Settled] = {}
    applied: tuple[str, ...] = ()

    @property
    def available(self) -> int:
        """Return the pieces that may still be reserved."""
        return self.on_hand - self.reserved

    @property
    def untouched(self) -> bool:
        """Whether nothing is known of the SKU: it never moved, and has no product."""
        return not self.version and self.facts is None and not self.applied and not self.settled


STOCK = Table("stock", Stock, parts="reservations")
