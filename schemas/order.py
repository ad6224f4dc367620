"""Orders and returns; all keyed by order id. Money is in minor units of `currency`."""

from enum import StrEnum

import msgspec

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

    line_id: str
    sku: str
    quantity: int
    name: str | None = None
    unit_price: int | None = None
    agreed_price: int | None = None
    incarnation: int | None = None


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

    reason: str
    staff: bool = False


class OrderAdvance(msgspec.Struct, frozen=True):
    """Staff move an order on: to processing, shipped, delivered or refunded."""

    status: OrderStatus
    tracking: str | None = None


class OrderReturn(msgspec.Struct, frozen=True):
    """Goods come back and money goes back, not tied to one earlier order; keyed by the return's own id."""

    currency: str
    lines: tuple[OrderLine, ...]
    charges: tuple[Charge, ...]
    payment_token: str
    address: Address | None = None
    email: str | None = None
    placed_at: int | None = None
    reason: str | None = None


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
