"""The cart table: one record per cart id."""

import msgspec

from schemas.cart import CartLine, CartStatus
from schemas.checkout import CheckoutRequested
from tables.table import Table


class PendingCheckout(msgspec.Struct, frozen=True, omit_defaults=True):
    """A checkout that waits for lines still under way; it fails at `deadline_at` (ms)."""

    request: CheckoutRequested
    user_id: str | None
    requested_at: int
    deadline_at: int
    correlation_id: str = ""


class Merged(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a guest's lines went, when (ms), and on whose behalf."""

    into_cart_id: str
    at: int
    user_id: str | None


class Cart(msgspec.Struct, frozen=True, omit_defaults=True):
    """A cart.

    `version` starts at the birth's time in ms and grows by one per change, so that a cart that left the
    table and is born again goes on above its former versions. `lines_version` is the version by which the
    lines became what they are, 0 where that is not known: freezing and opening change the version, and not
    what the buyer sees. `order_id` is the order that froze it.
    `merging` is where the lines go once the cart is free, because its guest logged in meanwhile. `arrived`
    are a guest's lines that came while it was frozen; they join when it opens. `finished` are the latest
    orders whose checkout this cart has seen the end of, `applied` the latest commands answered.
    """

    version: int
    updated_at: int
    status: CartStatus = CartStatus.OPEN
    lines: tuple[CartLine, ...] = ()
    lines_version: int = 0
    user_id: str | None = None
    order_id: str | None = None
    pending: PendingCheckout | None = None
    arrived: tuple[CartLine, ...] = ()
    merged: Merged | None = None
    merging: Merged | None = None
    finished: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()


CART = Table("cart", Cart)
