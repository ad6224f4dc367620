"""What a command may hold, so that every later step can take it: the one place that says so.

A field's type carries its bound (`Annotated[str, SHORT]`), and `schemas.check` compiles the bounds of a
command into a function. They hold for commands, at the door and where the dataflow first meets them; events
are never checked: what an older release has written stays readable. The wire's form is not touched.

The amounts multiply out: the most lines of a cart, with the most pieces at the highest price, and the most
charges on top, are less than the 64 bits that the wire, the views and the books have.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from schemas.sku import SKU_MAX_LENGTH


@dataclass(frozen=True)
class Text:
    """At most `most` characters, and no NUL: PostgreSQL keeps none, in text or in JSON."""

    most: int


@dataclass(frozen=True)
class Number:
    """From `least` to `most`."""

    least: int
    most: int


@dataclass(frozen=True)
class Count:
    """At most `most` items."""

    most: int


@dataclass(frozen=True)
class Identifier:
    """A UUID, as 32 hexadecimal digits in groups: the views have no other ids. Elsewhere a short text."""

    most: int = 200


SHORT: Final = Text(200)
"""A name, a line of an address, a reason."""
EMAIL: Final = Text(254)
LONG: Final = Text(100_000)
"""What a domain bounds itself, by its own settings."""
REFERENCE: Final = Text(500)
"""A card's token, a provider's reference, a key of ours at the provider."""
SKU: Final = Text(SKU_MAX_LENGTH)
ID: Final = Identifier()

PRICE: Final = Number(0, 10_000_000_000)
"""A price in minor units: a hundred million pounds, ten billion yen."""
AMOUNT: Final = Number(-PRICE.most, PRICE.most)
"""A charge in minor units; a discount is below zero."""
PIECES: Final = Number(-100_000, 100_000)
"""Pieces of a line, or times of a charge."""
STOCK: Final = Number(-(2**31) + 1, 2**31 - 1)
"""Pieces that come in or go out at once."""
LINES: Final = Count(5_000)
CHARGES: Final = Count(1_000)
CATEGORIES: Final = Count(1_000)
EXPECTED: Final = Number(0, 10_000)
ATTEMPT: Final = Number(0, 2**31 - 1)
TIME: Final = Number(0, 253_370_764_799_999)
"""Milliseconds from 1970 to the end of 9998: whatever is added to it is still a date."""

VERSION: Final = Number(0, 2**63 - 1)
TOTAL: Final = Number(-(2**63) + 1, 2**63 - 1)
"""A sum of amounts in minor units: what the wire has."""

# Written out: a repeated group takes longer.
UUID: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")

Bound = Text | Number | Count | Identifier

ShortText = Annotated[str, SHORT]
LongText = Annotated[str, LONG]
Email = Annotated[str, EMAIL]
Reference = Annotated[str, REFERENCE]
Sku = Annotated[str, SKU]
Id = Annotated[str, ID]
Price = Annotated[int, PRICE]
Amount = Annotated[int, AMOUNT]
Pieces = Annotated[int, PIECES]
Stock = Annotated[int, STOCK]
Time = Annotated[int, TIME]
Version = Annotated[int, VERSION]
Total = Annotated[int, TOTAL]


def bare(of: Any) -> Any:
    """Return a field's type without its bound."""
    return of.__origin__ if hasattr(of, "__metadata__") else of


def bound_of(of: Any) -> Bound | None:
    """Return the bound that a field's type carries."""
    return next((each for each in getattr(of, "__metadata__", ()) if isinstance(each, Bound)), None)
