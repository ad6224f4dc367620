"""What the routes of orders take and give. Money is minor units of `currency`, times are ms."""

from enum import StrEnum

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)

from api.checkout.models import ADDRESS, DeliveryAddress, Filled, Short
from schemas.order import OrderStatus
from schemas.payment import PaymentStatus

_ORDER_ID = "6c1f6f0e-5f39-5d7e-8a4e-0a8f6b0c1d2e"


class Progress(StrEnum):
    """An order's status; `requested` until it is placed, `failed` where it never was."""

    REQUESTED = "requested"
    FAILED = "failed"
    PLACED = "placed"
    CONFIRMED = "confirmed"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    REFUNDED = "refunded"


UNFINISHED = frozenset({Progress.REQUESTED, Progress.PLACED})
FINAL = frozenset({Progress.FAILED, Progress.CANCELLED, Progress.REFUNDED})
"""Nothing follows these."""

TERMINAL = FINAL | {Progress.DELIVERED}
"""Nothing is expected after these; a delivered order may still be refunded."""


class Line(BaseModel):
    """A line; name and price are known once the stock has quoted them."""

    model_config = ConfigDict(from_attributes=True)

    line_id: str
    sku: str
    name: str | None
    quantity: int
    unit_price: int | None


class OrderCharge(BaseModel):
    """A charge that is not goods: `amount` times `quantity` is charged."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    description: str
    quantity: int
    amount: int


class Payment(BaseModel):
    """An order's payment as it stands: `amount` is held, taken or given back since `at` (ms)."""

    model_config = ConfigDict(from_attributes=True)

    status: PaymentStatus
    amount: int
    currency: str
    at: int


class OrderSummary(BaseModel):
    """An order in a list."""

    order_id: str
    kind: str
    status: Progress
    currency: str
    total: int
    placed_at: int
    updated_at: int
    reason: str | None = None
    version: int


class Order(OrderSummary):
    """An order. `goods` + `charged` = `total`; `reason` says why it was cancelled."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "order_id": _ORDER_ID,
                    "kind": "sale",
                    "status": "confirmed",
                    "currency": "GBP",
                    "goods": 590,
                    "charged": 0,
                    "total": 590,
                    "placed_at": 1795250000000,
                    "updated_at": 1795250000120,
                    "version": 4,
                    "email": "ada@example.com",
                    "address": ADDRESS,
                    "lines": [
                        {
                            "line_id": "85123A",
                            "sku": "85123A",
                            "name": "WHITE HANGING HEART T-LIGHT HOLDER",
                            "quantity": 2,
                            "unit_price": 295,
                        }
                    ],
                    "charges": [],
                    "payment_status": "captured",
                }
            ]
        }
    )

    goods: int
    charged: int
    email: str | None = None
    address: DeliveryAddress | None = None
    lines: list[Line]
    charges: list[OrderCharge]
    detail: str | None = None
    sku: str | None = None
    tracking: str | None = None
    payment_status: str | None = None
    payment: Payment | None = None


class OrderPage(BaseModel):
    """A page of orders, the newest first; `next_cursor` is null on the last."""

    items: list[OrderSummary]
    next_cursor: str | None


class Cancellation(BaseModel):
    """Why an order is to be cancelled."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "ordered by mistake"}]}
    )

    reason: Filled = "cancelled by the customer"


class StatusChange(BaseModel):
    """The state that staff move an order to."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"status": "shipped", "tracking": "GB123456785"}]}
    )

    status: OrderStatus
    tracking: Short | None = None


class OrderEvent(BaseModel):
    """A step of an order, as the event stream tells it."""

    order_id: str
    event: str = Field(examples=["order.confirmed"])
    status: Progress
    version: int
    occurred_at: int
    total: int | None = None
    consented: int | None = Field(default=None, description="The total that the buyer agreed to.")
    reason: str | None = None
    detail: str | None = None
    sku: str | None = None
    tracking: str | None = None
