"""Carts: the commands of a shopper, and what became of the cart.

All are keyed by cart id. Money is in minor units of `currency`.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from schemas.bounds import LINES, Id, LongText, ShortText, Time


class CartStatus(StrEnum):
    """Where a cart stands."""

    OPEN = "open"
    FROZEN = "frozen"
    EXPIRED = "expired"
    MERGED = "merged"


class CartLine(msgspec.Struct, frozen=True):
    """A line of a cart.

    `line_id` is the SKU for shoppers (adding the same SKU again raises its quantity); a trusted source may
    keep several lines of one SKU apart. `agreed_price` is a negotiated unit price in minor units that only a
    trusted source may set; without it the SKU's current price holds. `incarnation` is when the product that
    the shopper saw was put on sale (ms): one that was deleted and made anew under the same SKU is another
    product. Without it any will do.
    """

    line_id: LongText
    sku: LongText
    quantity: int
    agreed_price: int | None = None
    incarnation: Time | None = None


class CartAdd(msgspec.Struct, frozen=True):
    """Add lines to a cart; an existing line's quantity is raised."""

    lines: Annotated[tuple[CartLine, ...], LINES]


class CartChange(msgspec.Struct, frozen=True):
    """Set a line's quantity (pieces); 0 is refused: removing is a command of its own."""

    line_id: LongText
    quantity: int


class CartRemove(msgspec.Struct, frozen=True):
    """Remove a line."""

    line_id: LongText


class CartClear(msgspec.Struct, frozen=True):
    """Empty a cart; with `order_id`, because that order was confirmed (the cart must be frozen for it)."""

    order_id: Id | None = None


class CartMerge(msgspec.Struct, frozen=True):
    """Move a guest's lines into another cart (at login); keyed by the guest's cart."""

    into_cart_id: Id


class CartAbsorb(msgspec.Struct, frozen=True):
    """Take over the lines of a guest's cart; keyed by the receiving cart, sent by the guest's."""

    from_cart_id: Id
    lines: Annotated[tuple[CartLine, ...], LINES]


class CartRestore(msgspec.Struct, frozen=True):
    """Compensation: unfreeze the cart, as it was, because its order was cancelled."""

    order_id: Id
    reason: ShortText


class CartUpdated(msgspec.Struct, frozen=True):
    """The cart's full public state after a change; `order_id` is the order that froze it."""

    status: CartStatus
    lines: tuple[CartLine, ...]
    user_id: str | None
    order_id: str | None
    updated_at: int


class CartRejected(msgspec.Struct, frozen=True):
    """A command that was refused: which rule, on which field. The cart is as it was."""

    command: str
    reason: str
    field: str
    detail: str


class CartAbandoned(msgspec.Struct, frozen=True):
    """The cart expired after its idle time with these lines in it."""

    lines: tuple[CartLine, ...]
    user_id: str | None
    last_active_at: int
