"""Checkout: the shopper's request and its course. Money is in minor units of `currency`."""

from typing import Annotated

import msgspec

from schemas.bounds import (
    CHARGES,
    EXPECTED,
    Amount,
    Email,
    Id,
    Pieces,
    Reference,
    ShortText,
    Time,
    Total,
    Version,
)
from schemas.cart import CartLine


class Charge(msgspec.Struct, frozen=True):
    """A charge that is not goods (postage, carriage, manual, discount): `amount` x `quantity` is charged."""

    code: ShortText
    description: ShortText
    quantity: Pieces
    amount: Amount


class Address(msgspec.Struct, frozen=True):
    """Where the goods go. `country` is a name or ISO 3166 code, as the source has it."""

    name: ShortText
    country: ShortText
    line1: ShortText | None = None
    line2: ShortText | None = None
    city: ShortText | None = None
    postcode: ShortText | None = None


class Consent(msgspec.Struct, frozen=True):
    """What the buyer was shown and agreed to: the cart's version, and the total in minor units."""

    cart_version: Version
    total: Total


class CheckoutRequested(msgspec.Struct, frozen=True):
    """A shopper asks to buy the cart; keyed by cart id.

    `order_id` is derived from user and idempotency key, so a retry cannot buy twice. `payment_token` stands
    for a card at the provider. `expected_lines` is how many lines the shopper saw: the cart agent holds the
    request until the cart has them (adds travel on another topic), at the longest until the deadline.
    `placed_at` may be set by a trusted source only (ms); `charges` likewise. Where the outcome would differ
    from `consent` nothing is bought; a trusted source, which shows nothing to anybody, gives none.
    """

    order_id: Id
    currency: ShortText
    payment_token: Reference
    email: Email | None = None
    address: Address | None = None
    charges: Annotated[tuple[Charge, ...], CHARGES] = ()
    expected_lines: Annotated[int, EXPECTED] | None = None
    placed_at: Time | None = None
    consent: Consent | None = None


class CheckoutStarted(msgspec.Struct, frozen=True):
    """The cart is frozen and the order begins; keyed by order id. It ends by `deadline_at` (ms).

    `consented` is the total that the buyer agreed to, None where a trusted source asked.
    """

    cart_id: str
    user_id: str | None
    currency: str
    lines: tuple[CartLine, ...]
    charges: tuple[Charge, ...]
    payment_token: str
    email: str | None
    address: Address | None
    placed_at: int
    deadline_at: int
    consented: int | None = None


class CheckoutCompleted(msgspec.Struct, frozen=True):
    """The checkout ended in a confirmed order of `total` minor units; keyed by order id."""

    cart_id: str
    total: int
    currency: str


class CheckoutFailed(msgspec.Struct, frozen=True):
    """The checkout ended without an order; keyed by order id. `sku` is set where one SKU is the cause."""

    cart_id: str
    reason: str
    detail: str
    sku: str | None = None
