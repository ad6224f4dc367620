"""What the cart's routes take and give. Money is minor units of `currency`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.product.models import Sku
from schemas.cart import CartStatus

_CART_ID = "3f0c3d4e-0f3c-4b8e-9d0a-6a1f6b8f7c21"
_CART: JsonDict = {
    "cart_id": _CART_ID,
    "status": "open",
    "items": [
        {
            "line_id": "85123A",
            "sku": "85123A",
            "quantity": 2,
            "name": "WHITE HANGING HEART T-LIGHT HOLDER",
            "unit_price": 295,
            "line_total": 590,
            "available": 120,
            "on_sale": True,
        }
    ],
    "pieces": 2,
    "subtotal": 590,
    "total": 590,
    "currency": "GBP",
    "order_id": None,
    "version": 1,
    "updated_at": 1795250000000,
}

# The dataflow has the last word on the largest quantity of a line; this bound keeps it a 32-bit number.
Quantity = Annotated[int, Field(gt=0, lt=2**31, strict=True, description="Pieces.", examples=[2])]


class CartItem(BaseModel):
    """A line with the product's current name and price; they are null where the product is unknown."""

    line_id: str
    sku: str
    quantity: int
    name: str | None
    unit_price: int | None
    line_total: int | None
    available: int = Field(description="Pieces that can be reserved now.")
    on_sale: bool
    replaced: bool = Field(
        default=False,
        description="Another product has this SKU now: it is not bought until the line is added anew.",
    )


class Cart(BaseModel):
    """A cart at current prices; the firm prices are decided at checkout, together with the stock.

    A checkout carries `version` and `total`: what it would charge otherwise, it does not charge.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_CART]})

    cart_id: str | None = Field(description="A guest's is the secret of `X-Cart-Id`.")
    status: CartStatus
    items: list[CartItem]
    pieces: int
    subtotal: int = Field(description="The goods alone.")
    total: int = Field(description="What a checkout charges, in minor units; lines without a price count 0.")
    currency: str
    order_id: str | None = Field(description="The order that has frozen the cart.")
    version: int
    updated_at: int | None = Field(description="Milliseconds since the epoch, UTC.")


class NewItem(BaseModel):
    """Pieces of a product to put into the cart."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"sku": "85123A", "quantity": 2}]}
    )

    sku: Sku
    quantity: Quantity = 1


class ItemChange(BaseModel):
    """A line's new quantity; to remove the line, delete it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"quantity": 3}]})

    quantity: Quantity
