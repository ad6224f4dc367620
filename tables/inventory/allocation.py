"""The allocation table: one record per order id; an order's lines over the stocks of its SKUs."""

from enum import StrEnum

import msgspec

from schemas.checkout import Charge
from schemas.inventory import QuotedLine
from tables.table import Table


class AllocationStatus(StrEnum):
    """Where an allocation stands.

    `released` and `restocked` are both ends of a cancelled order: before its goods were committed, and after.
    `returned` is the marker of goods that came back.
    """

    PENDING = "pending"
    RESERVED = "reserved"
    REJECTED = "rejected"
    RELEASED = "released"
    COMMITTED = "committed"
    RESTOCKED = "restocked"
    RETURNED = "returned"


class Ask(msgspec.Struct, frozen=True):
    """What `inventory.reserved` will say on the order's behalf, kept while lines are pending.

    `line_ids` keeps the order's own sequence of lines; `quotes` are the answers so far, by SKU. `consented`
    is the total that the buyer agreed to, None where nobody was shown one.
    """

    cart_id: str
    user_id: str | None
    currency: str
    charges: tuple[Charge, ...]
    payment_token: str
    line_ids: tuple[str, ...]
    quotes: dict[str, tuple[QuotedLine, ...]] = {}
    consented: int | None = None


class Allocation(msgspec.Struct, frozen=True, omit_defaults=True):
    """An order's allocation: `quantities` in pieces by SKU.

    `version` starts at the birth's time in ms and grows by one per event. `ask` is there only while lines
    are pending. `ended_at` (ms) is when nothing of the order could move stock any more; the record leaves
    the table a retention later.
    """

    status: AllocationStatus
    version: int
    quantities: dict[str, int] = {}
    ask: Ask | None = None
    ended_at: int | None = None


ALLOCATION = Table("allocation", Allocation)
