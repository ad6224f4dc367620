"""What the catalogue's routes take and give. Prices are minor units of `currency`."""

from enum import StrEnum
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from api import wording
from schemas.bounds import PRICE
from schemas.sku import SKU_MAX_LENGTH

MAX_MINOR = 2**53 - 1
"""Largest amount of minor units that every JSON reader keeps exact."""

Sku = Annotated[str, StringConstraints(min_length=1, max_length=SKU_MAX_LENGTH, pattern=wording.SKU)]
SkuPath = Annotated[Sku, Path(description="Stock keeping unit.", examples=["85123A"])]
AskedSku = Annotated[str, Path(description="Stock keeping unit.", examples=["85123A"])]
"""A SKU that is only looked for: one that nothing can have is not found, like any other."""

Text = Annotated[str, StringConstraints(pattern=wording.NO_NUL)]
Name = Annotated[Text, StringConstraints(min_length=1, max_length=200)]
Description = Annotated[Text, StringConstraints(max_length=10_000)]
Category = Annotated[Text, StringConstraints(min_length=1, max_length=100)]
Price = Annotated[int, Field(gt=0, le=PRICE.most, strict=True, examples=[295])]
Threshold = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]

_PRODUCT: JsonDict = {
    "sku": "85123A",
    "name": "WHITE HANGING HEART T-LIGHT HOLDER",
    "description": "",
    "categories": ["lighting"],
    "price": 295,
    "currency": "GBP",
    "available": 120,
    "active": True,
    "version": 3,
}


class Product(BaseModel):
    """A product with what can be reserved of it now (pieces)."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PRODUCT]}, from_attributes=True)

    sku: str
    name: str
    description: str
    categories: list[str]
    price: int
    currency: str
    available: int
    active: bool
    version: int
    created_at: int | None = Field(default=None, description="When it was put on sale, in ms; of each anew.")


class ProductPage(BaseModel):
    """A page of products; `next_cursor` is null on the last."""

    items: list[Product]
    next_cursor: str | None


class ProductSort(StrEnum):
    """Order of a list; ties are broken by SKU."""

    NAME = "name"
    PRICE_UP = "price"
    PRICE_DOWN = "-price"
    NEWEST = "newest"


class NewProduct(BaseModel):
    """A product to put on sale."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"sku": "HEART-1", "name": "Paper heart", "price": 295, "categories": ["decoration"]}
            ]
        },
    )

    sku: Sku
    name: Name
    price: Price
    description: Description = ""
    categories: list[Category] = Field(default_factory=list, max_length=20)
    low_stock_threshold: Threshold = 10


class ProductChange(BaseModel):
    """The fields to change; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"price": 325}], "minProperties": 1},
    )

    name: Name | None = None
    price: Price | None = None
    description: Description | None = None
    categories: list[Category] | None = Field(default=None, max_length=20)
    low_stock_threshold: Threshold | None = None


class SearchHit(BaseModel):
    """A product found; `highlight` is its name as safe HTML with the matches in `<mark>`."""

    model_config = ConfigDict(from_attributes=True)

    sku: str
    name: str
    description: str
    categories: list[str]
    price: int
    currency: str
    available: int
    highlight: str


class CategoryFacet(BaseModel):
    """How many hits a category has."""

    model_config = ConfigDict(from_attributes=True)

    category: str
    count: int


class PriceFacet(BaseModel):
    """How many hits cost from `price_from` to below `price_below` (null: no upper bound)."""

    model_config = ConfigDict(from_attributes=True)

    price_from: int
    price_below: int | None
    count: int


class Facets(BaseModel):
    """Counts to narrow the search by; each facet regards all filters except its own."""

    model_config = ConfigDict(from_attributes=True)

    categories: list[CategoryFacet]
    prices: list[PriceFacet]


class SearchResults(BaseModel):
    """A page of hits out of `total`; `approximate` where nothing matched as typed, and these nearly do.

    `next_cursor` is null on the last page.
    """

    model_config = ConfigDict(from_attributes=True)

    hits: list[SearchHit]
    total: int
    facets: Facets
    approximate: bool
    next_cursor: str | None


class Suggestion(BaseModel):
    """A product to suggest while its name is being typed."""

    model_config = ConfigDict(from_attributes=True)

    sku: str
    name: str
