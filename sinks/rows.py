"""The rows of the PostgreSQL views: a type per table, its fields the columns, and how each table is kept.

Money is in minor units of the row's currency. `version` is the version of the aggregate that the row shows.
`extra` is JSON: fields of the message that this release has no column for, as a newer one writes them. The
tables' definitions are the revisions under `sinks/migrations`.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from connectors.postgres.table import Table


class ProductRow(NamedTuple):
    """A product, on sale while `active`.

    `folded` is what search finds it by (`sinks.search.words`); rows of an older release have none.
    """

    sku: str
    name: str
    description: str
    categories: list[str]
    price: int
    currency: str
    active: bool
    low_stock_threshold: int
    created_at: datetime
    updated_at: datetime
    version: int
    extra: str | None = None
    folded: list[str] | None = None


class StockLevelRow(NamedTuple):
    """A SKU's stock, in pieces."""

    sku: str
    on_hand: int
    reserved: int
    available: int
    received: int
    committed: int
    threshold: int
    version: int
    updated_at: datetime
    extra: str | None = None


class StockMovementRow(NamedTuple):
    """A change of a SKU's stock; `version` is the stock's version after it."""

    sku: str
    version: int
    kind: str
    quantity: int
    reference: str
    reason: str
    occurred_at: datetime
    extra: str | None = None


class OrderRow(NamedTuple):
    """An order or a return; `address` is JSON."""

    order_id: UUID
    kind: str
    status: str
    cart_id: UUID | None
    user_id: UUID | None
    email: str | None
    country: str | None
    address: str | None
    currency: str
    goods: int
    charged: int
    total: int
    placed_at: datetime
    updated_at: datetime
    reason: str | None
    detail: str | None
    sku: str | None
    tracking: str | None
    version: int
    correlation_id: UUID
    extra: str | None = None


class OrderLineRow(NamedTuple):
    """A line of an order; name and unit price are known once stock has quoted them."""

    order_id: UUID
    line_id: str
    ordinal: int
    sku: str
    name: str | None
    quantity: int
    unit_price: int | None


class OrderChargeRow(NamedTuple):
    """A charge of an order that is not goods: `quantity` x `amount`."""

    order_id: UUID
    ordinal: int
    code: str
    description: str
    quantity: int
    amount: int


class OrderEventRow(NamedTuple):
    """An event of an order, the refused commands included; `status` is the order's after it."""

    event_id: UUID
    order_id: UUID
    version: int
    event_type: str
    status: str | None
    occurred_at: datetime
    detail: str
    extra: str | None = None


class PaymentRow(NamedTuple):
    """An order's payment."""

    order_id: UUID
    status: str
    amount: int
    currency: str
    provider_reference: str | None
    attempts: int
    reason: str | None
    version: int
    updated_at: datetime
    extra: str | None = None


class AbandonedCartRow(NamedTuple):
    """A cart that expired with lines in it; `lines` is JSON."""

    event_id: UUID
    cart_id: UUID
    user_id: UUID | None
    lines: str
    last_active_at: datetime
    abandoned_at: datetime
    extra: str | None = None


class DeadLetterRow(NamedTuple):
    """A record that could not be handled: `dlq_*` is where it lies now, `source_*` where it lay."""

    id: str
    domain: str
    dlq_topic: str
    dlq_partition: int
    dlq_offset: int
    source_topic: str | None
    source_partition: int | None
    source_offset: int | None
    key: str | None
    value: bytes | None
    reason: str
    error: str | None
    stack: str | None
    attempt: int
    headers: str
    failed_at: datetime


PRODUCTS = Table("products", ProductRow, key=("sku",), version="version")
STOCK_LEVELS = Table("stock_levels", StockLevelRow, key=("sku",), version="version")
STOCK_MOVEMENTS = Table("stock_movements", StockMovementRow, key=("sku", "version"))
ORDERS = Table("orders", OrderRow, key=("order_id",), version="version")
ORDER_LINES = Table("order_lines", OrderLineRow, key=("order_id", "line_id"), owner=ORDERS)
ORDER_CHARGES = Table("order_charges", OrderChargeRow, key=("order_id", "ordinal"), owner=ORDERS)
ORDER_EVENTS = Table("order_events", OrderEventRow, key=("event_id", "occurred_at"), month="occurred_at")
PAYMENTS = Table("payments", PaymentRow, key=("order_id",), version="version")
CARTS_ABANDONED = Table("carts_abandoned", AbandonedCartRow, key=("event_id",))
DEAD_LETTERS = Table("dead_letters", DeadLetterRow, key=("id",))

TABLES = (
    PRODUCTS,
    STOCK_LEVELS,
    STOCK_MOVEMENTS,
    ORDERS,
    ORDER_LINES,
    ORDER_CHARGES,
    ORDER_EVENTS,
    PAYMENTS,
    CARTS_ABANDONED,
    DEAD_LETTERS,
)
