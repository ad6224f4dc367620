"""The rows of orders, with their lines, charges and events."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from connectors.postgres.table import Table


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


ORDERS = Table("orders", OrderRow, key=("order_id",), version="version")
ORDER_LINES = Table("order_lines", OrderLineRow, key=("order_id", "line_id"), owner=ORDERS)
ORDER_CHARGES = Table("order_charges", OrderChargeRow, key=("order_id", "ordinal"), owner=ORDERS)
ORDER_EVENTS = Table("order_events", OrderEventRow, key=("event_id", "occurred_at"), month="occurred_at")
