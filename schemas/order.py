"""Orders and returns; all keyed by order id. Money is in minor units of `currency`."""

from enum import StrEnum
from typing import Annotated

import msgspec

from schemas.bounds import CHARGES, LINES, Amount, Email, LongText, Pieces, Reference, ShortText, Time
from schemas.checkout import Address, Charge


class OrderKind(StrEnum):
    """A sale, or goods that come back."""

    SALE = "sale"
    RETURN = "return"


class OrderStatus(StrEnum):
    """The state machine: placed -> confirmed -> processing -> shipped -> delivered; cancelled; refunded.

    A return begins as `returned` and ends as `refunded`.
    """

    PLACED = "placed"
    CONFIRMED = "confirmed"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    REFUNDED = "refunded"


class OrderLine(msgspec.Struct, frozen=True):
    """A line of an order. `unit_price` (minor units) is known once the SKU's stock has quoted it.

    `incarnation` is the cart line's, until then: which product of that SKU the buyer saw.
    """

    line_id: LongText
    sku: LongText
    quantity: Pieces
    name: LongText | None = None
    unit_price: Amount | None = None
    agreed_price: Amount | None = None
    incarnation: Time | None = None


class OrderSnapshot(msgspec.Struct, frozen=True):
    """The order's full public state after a change: the data of every order event.

    `goods` + `charged` = `total`; for a return they are what goes back to the customer, as positive amounts.
    `reason` says why it was cancelled, rejected or returned. `consented` is the total that the buyer agreed
    to, None where a trusted source asked: another one is never charged. `command_id` is the command that the
    change answers where it had to wait, so that another message is its cause.
    """

    kind: OrderKind
    status: OrderStatus
    cart_id: str | None
    user_id: str | None
    email: str | None
    address: Address | None
    currency: str
    lines: tuple[OrderLine, ...]
    charges: tuple[Charge, ...]
    goods: int
    charged: int
    total: int
    payment_token: str | None
    placed_at: int
    updated_at: int
    reason: str | None = None
    detail: str | None = None
    sku: str | None = None
    tracking: str | None = None
    consented: int | None = None
    command_id: str | None = None


class OrderCancel(msgspec.Struct, frozen=True):
    """Ask to cancel; allowed until shipped. `user_id` in the envelope must own the order, unless staff."""

    reason: ShortText
    staff: bool = False


class OrderAdvance(msgspec.Struct, frozen=True):
    """Staff move an order on: to processing, shipped, delivered or refunded."""

    status: OrderStatus
    tracking: ShortText | None = None


class OrderReturn(msgspec.Struct, frozen=True):
    """Goods come back and money goes back, not tied to one earlier order; keyed by the return's own id."""

    currency: ShortText
    lines: Annotated[tuple[OrderLine, ...], LINES]
    charges: Annotated[tuple[Charge, ...], CHARGES]
    payment_token: Reference
    address: Address | None = None
    email: Email | None = None
    placed_at: Time | None = None
    reason: ShortText | None = None


class OrderRejected(msgspec.Struct, frozen=True):
    """A command that was refused: which rule, on which field; the order is as it was.

    `command_id` is the command where it had to wait, so that another message is the refusal's cause.
    """

    command: str
    reason: str
    field: str
    detail: str
    status: OrderStatus | None
    command_id: str | None = None
