"""Inventory: stock per SKU, and an order's allocation over SKUs. Quantities are pieces, money minor units."""

from enum import StrEnum
from typing import Annotated

import msgspec

from schemas.bounds import LINES, Id, LongText, ShortText, Stock, Time
from schemas.checkout import Charge


class MovementKind(StrEnum):
    """Why a stock level changed."""

    RECEIVE = "receive"
    ADJUST = "adjust"
    RESERVE = "reserve"
    RELEASE = "release"
    COMMIT = "commit"


class InventoryReceive(msgspec.Struct, frozen=True):
    """Goods came in; keyed by SKU. Each `receipt_id` is applied once. `reason`: opening, purchase, return."""

    receipt_id: ShortText
    quantity: Stock
    reason: ShortText


class InventoryAdjust(msgspec.Struct, frozen=True):
    """A count or a loss changes on_hand by `delta`; keyed by SKU. Never below what is reserved."""

    adjustment_id: ShortText
    delta: Stock
    reason: ShortText


class RequestedLine(msgspec.Struct, frozen=True):
    """An order's line as asked of one SKU's stock; `incarnation` as in the cart's line."""

    line_id: LongText
    quantity: int
    agreed_price: int | None = None
    incarnation: Time | None = None


class QuotedLine(msgspec.Struct, frozen=True):
    """A line with its firm unit price, in minor units."""

    line_id: str
    sku: str
    name: str
    quantity: int
    unit_price: int


class InventoryReserve(msgspec.Struct, frozen=True):
    """Reserve an order's lines of one SKU, all or none; keyed by SKU."""

    order_id: Id
    currency: ShortText
    lines: Annotated[tuple[RequestedLine, ...], LINES]


class InventoryRelease(msgspec.Struct, frozen=True):
    """Compensation: give an order's reservation of this SKU back; keyed by SKU."""

    order_id: Id
    reason: ShortText


class InventoryCommit(msgspec.Struct, frozen=True):
    """An order's reservation of this SKU leaves the house; keyed by SKU."""

    order_id: Id


class LineReserved(msgspec.Struct, frozen=True):
    """One SKU's lines are reserved at firm prices; keyed by order id."""

    sku: str
    lines: tuple[QuotedLine, ...]


class LineRejected(msgspec.Struct, frozen=True):
    """One SKU refused; keyed by order id.

    `reason`: out_of_stock, unknown_sku, discontinued, product_replaced, released, currency_mismatch,
    invalid_quantity.
    """

    sku: str
    reason: str
    requested: int
    available: int


class InventoryReserved(msgspec.Struct, frozen=True):
    """All lines of the order are reserved and priced; keyed by order id.

    `goods` + `charged` = `total`, in minor units. It carries what payment needs, so payment joins nothing.
    """

    cart_id: str
    user_id: str | None
    currency: str
    lines: tuple[QuotedLine, ...]
    charges: tuple[Charge, ...]
    goods: int
    charged: int
    total: int
    payment_token: str


class InventoryRejected(msgspec.Struct, frozen=True):
    """The order cannot be reserved, and nothing of it stays reserved; keyed by order id.

    `reason`: one of `inventory.line_rejected`, for its `sku`; or `price_changed` where all could be had, but
    at another total than the buyer agreed to: then `sku` is empty, and `lines` are the firm quotes.
    """

    reason: str
    sku: str
    requested: int
    available: int
    lines: tuple[QuotedLine, ...] = ()


class Movement(msgspec.Struct, frozen=True):
    """The change that led to a stock level; `reference` is the order, receipt or adjustment id."""

    kind: MovementKind
    quantity: int
    reference: str
    reason: str


class InventoryUpdated(msgspec.Struct, frozen=True):
    """A SKU's full stock level after a movement; keyed by SKU.

    available = on_hand - reserved; on_hand = received - committed, where `received` is net of adjustments.
    """

    on_hand: int
    reserved: int
    available: int
    received: int
    committed: int
    low_stock_threshold: int
    movement: Movement


class InventoryLowStock(msgspec.Struct, frozen=True):
    """`available` fell to or below the SKU's threshold; keyed by SKU."""

    available: int
    threshold: int


class StockLevel(msgspec.Struct, frozen=True):
    """A SKU's level as it stands, in pieces; the fields as in `inventory.updated`."""

    on_hand: int
    reserved: int
    available: int
    received: int
    committed: int
    low_stock_threshold: int


class InventoryRefused(msgspec.Struct, frozen=True):
    """A receive or adjust command was refused: which rule, on which field; keyed by SKU.

    `reason` already_applied: another command had brought in this very movement, under the same id; `level` is
    then the SKU's as it stands. id_reused: the id had stood for another quantity.
    """

    command: str
    reason: str
    field: str
    detail: str
    level: StockLevel | None = None
