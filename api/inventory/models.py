"""What the inventory's routes take and give. Quantities are pieces."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api import wording
from api.product.models import Text

_PIECES = 2**31

Reason = Annotated[Text, StringConstraints(min_length=1, max_length=100)]
Reference = Annotated[str, StringConstraints(pattern=wording.REFERENCE)]


class Receipt(BaseModel):
    """Goods that came in; one `receipt_id` is applied once, however often it is sent."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"quantity": 100, "reason": "purchase"}]}
    )

    quantity: int = Field(gt=0, lt=_PIECES, strict=True)
    reason: Reason = "purchase"
    receipt_id: Reference | None = Field(default=None, description="Made by the API where none is given.")


class Adjustment(BaseModel):
    """A count or a loss: on hand changes by `delta`, never below what is reserved."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"delta": -2, "reason": "damaged"}]},
    )

    delta: int = Field(gt=-_PIECES, lt=_PIECES, strict=True, json_schema_extra={"not": {"const": 0}})
    reason: Reason
    adjustment_id: Reference | None = Field(default=None, description="Made by the API where none is given.")


class StockMovement(BaseModel):
    """A change of a level; `reference` is the order, receipt or adjustment."""

    kind: str
    quantity: int
    reference: str
    reason: str
    version: int
    occurred_at: int


class StockLevel(BaseModel):
    """A SKU's level: available = on_hand - reserved; on_hand = received - committed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "sku": "85123A",
                    "on_hand": 130,
                    "reserved": 10,
                    "available": 120,
                    "received": 200,
                    "committed": 70,
                    "threshold": 10,
                    "version": 42,
                    "updated_at": 1795250000000,
                    "movements": [],
                }
            ]
        }
    )

    sku: str
    on_hand: int
    reserved: int
    available: int
    received: int
    committed: int
    threshold: int
    version: int
    updated_at: int
    movements: list[StockMovement] = Field(description="The newest movements, the last one first.")
