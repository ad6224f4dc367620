"""What the routes of checkout take. Money is in minor units of the cart's currency."""

from collections.abc import Callable
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
from api.checkout import cards, places
from api.product.models import MAX_MINOR, Text
from schemas.bounds import EMAIL, SHORT

_CARD: JsonDict = {"card_number": "4242424242424242", "expiry": "12/30", "cvc": "123"}
ADDRESS: JsonDict = {
    "name": "Ada Lovelace",
    "country": "GB",
    "line1": "12 St James's Square",
    "city": "London",
    "postcode": "SW1Y 4JH",
}

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

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [ADDRESS]}, from_attributes=True)

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
                    "address": ADDRESS,
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
