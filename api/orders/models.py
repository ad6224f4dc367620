"""What the routes of checkout and orders take and give. Money is minor units of `currency`, times are ms."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from api import wording
from api.catalogue.models import MAX_MINOR, Text
from api.orders import cards, places
from schemas.bounds import EMAIL, SHORT
from schemas.order import OrderStatus
from schemas.payment import PaymentStatus

_CARD: JsonDict = {"card_number": "4242424242424242", "expiry": "12/30", "cvc": "123"}
_ADDRESS: JsonDict = {
    "name": "Ada Lovelace",
    "country": "GB",
    "line1": "12 St James's Square",
    "city": "London",
    "postcode": "SW1Y 4JH",
}
_ORDER_ID = "6c1f6f0e-5f39-5d7e-8a4e-0a8f6b0c1d2e"

_MOST_SHOWN = 5_000

Shown = Annotated[int, Field(ge=0, le=MAX_MINOR, strict=True)]
Short = Annotated[Text, StringConstraints(max_length=SHORT.most)]
Filled = Annotated[Short, StringConstraints(min_length=1, strip_whitespace=True)]
Part = Annotated[Short, StringConstraints(strip_whitespace=True)] | None


def _written(check: Callable[[str], str], rule: str) -> AfterValidator:
    """Return a validator whose ValueError is told as it is, in words that a shopper reads."""

    def checked(value: str) -> str:
        try:
            return check(value)
        except ValueError as error:
            raise PydanticCustomError(rule, "{words}", {"words": str(error)}) from None

    return AfterValidator(checked)


def _country(value: str) -> str:
    code = places.code_of(value)
    if code is None:
        raise ValueError("Choose the country from the list.")
    return code


Written = Annotated[str, StringConstraints(max_length=40)]


class Card(BaseModel):
    """A card, as the payment provider wants it; it goes there and nowhere else.

    Blanks and dashes within the number are taken out; a date may be 12/30, 1230 or 12/2030.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_CARD]})

    card_number: Annotated[Written, _written(cards.number, "card_number")] = Field(repr=False)
    expiry: Annotated[Written, _written(cards.expiry, "expiry")] = Field(repr=False)
    cvc: Annotated[Written, _written(cards.cvc, "cvc")] = Field(repr=False)


class DeliveryAddress(BaseModel):
    """Where the goods go. What an address must have is its country's rule."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [_ADDRESS]}, from_attributes=True
    )

    name: Filled
    country: Annotated[Filled, _written(_country, "country")] = Field(
        description="ISO 3166 code, or English name."
    )
    line1: Part = Field(default=None, validate_default=True)
    line2: Part = None
    city: Part = Field(default=None, validate_default=True)
    postcode: Part = Field(default=None, validate_default=True)

    @field_validator("line1", "city", "postcode")
    @classmethod
    def _by_country(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Hold a part to the country's rules."""
        field = str(info.field_name)
        fault = places.fault(field, value, info.data.get("country"))
        if fault is not None:
            raise PydanticCustomError(field, "{words}", {"words": fault})
        return value or None


class ShownLine(BaseModel):
    """A line as the buyer was shown it; `unit_price` is minor units."""

    model_config = ConfigDict(extra="forbid")

    line_id: Annotated[Text, StringConstraints(min_length=1, max_length=100)]
    quantity: Shown
    unit_price: Shown | None = None


class CheckoutRequest(BaseModel):
    """Buy the cart as it was shown. The payment is a card, or the provider's token of one.

    `cart_version` and `total` are those of the cart's last answer that the buyer saw. Where the cart or its
    prices are others by now, nothing is charged (409 `cart_changed` or `price_changed`, with old and new).
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "cart_version": 1795250000001,
                    "total": 590,
                    "payment": _CARD,
                    "address": _ADDRESS,
                    "email": "ada@example.com",
                }
            ],
            "oneOf": [{"required": ["payment"]}, {"required": ["payment_token"]}],
        },
    )

    cart_version: Shown = Field(
        description="The cart's `version` as shown; with `expected_lines` the newest that is known, or 0.",
        examples=[1795250000001],
    )
    total: Shown = Field(
        description="The cart's `total` as shown, in minor units: this is charged, or nothing is.",
        examples=[590],
    )
    lines: Annotated[list[ShownLine], Field(max_length=_MOST_SHOWN)] | None = Field(
        default=None,
        description="The lines as shown; they only serve a refusal to say which of them changed.",
    )
    payment: Card | None = None
    payment_token: str | None = Field(default=None, pattern=wording.TOKEN, repr=False)
    address: DeliveryAddress
    email: Annotated[EmailStr, Field(max_length=EMAIL.most)]
    expected_lines: Annotated[int, Field(ge=1, le=1_000, strict=True)] | None = Field(
        default=None,
        description=(
            "Lines that the shopper put in: the checkout waits for adds that are still on their way, and"
            " is refused where there are more. The buyer agrees to so many lines at `total`."
        ),
    )

    @model_validator(mode="after")
    def _one_payment(self) -> Self:
        if (self.payment is None) == (self.payment_token is None):
            raise ValueError("give either payment or payment_token")
        return self


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
                    "address": _ADDRESS,
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
