"""What a search is asked and what it answers; both back ends pass the same behavioural suite.

Prices are minor units of the product's currency. `available` is in pieces.
"""

from enum import StrEnum
from typing import Protocol

import msgspec

MAX_WINDOW = 10_000
"""The last hit that can be reached by counting: `offset + limit` at most. Behind a place there is no end."""
MAX_LIMIT = 200
MAX_TEXT = 200
"""Characters of a query's text that are looked at; the rest is cut off."""

PRICE_STEPS = (0, 100, 250, 500, 1000, 2500)
"""Lower bounds of the price facet's ranges, in minor units; the last range is open."""


class SearchUnavailableError(Exception):
    """The search server does not answer; try again later."""


class Sort(StrEnum):
    """Order of the hits; ties are broken by SKU. Without words, relevance is how often a product was sold."""

    RELEVANCE = "relevance"
    PRICE_UP = "price"
    PRICE_DOWN = "-price"
    NAME = "name"
    NEWEST = "newest"


Place = tuple[float | int | str, str]
"""Where a page ended: the last hit's value of what the hits are sorted by, and its SKU."""


class Filters(msgspec.Struct, frozen=True):
    """Conditions that every hit meets.

    A hit is in at least one of `categories` (none given: any), costs from `price_from` to `price_to`
    inclusive, and with `in_stock` at least one piece of it can be reserved.
    """

    categories: tuple[str, ...] = ()
    price_from: int | None = None
    price_to: int | None = None
    in_stock: bool = False


class Query(msgspec.Struct, frozen=True):
    """One page of a search, from `offset` or behind a place. Blank `text` matches every product on sale.

    What comes or goes between two pages shifts what is counted, but not what lies behind a place. Raises
    ValueError where `offset` or `limit` are out of range, or both `offset` and `after` are given.
    """

    text: str = ""
    filters: Filters = Filters()
    sort: Sort = Sort.RELEVANCE
    offset: int = 0
    limit: int = 24
    after: Place | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_LIMIT:
            raise ValueError(f"limit: must be between 1 and {MAX_LIMIT}")
        if not 0 <= self.offset <= MAX_WINDOW - self.limit:
            raise ValueError(f"offset: must be between 0 and {MAX_WINDOW} less limit")
        if self.offset and self.after is not None:
            raise ValueError("offset: is not counted behind a place")


class Hit(msgspec.Struct, frozen=True):
    """A product on sale. `highlight` is the name as safe HTML, with the words that matched in `<mark>`."""

    sku: str
    name: str
    description: str
    categories: tuple[str, ...]
    price: int
    currency: str
    available: int
    highlight: str


class CategoryCount(msgspec.Struct, frozen=True):
    """How many hits a category has."""

    category: str
    count: int


class PriceCount(msgspec.Struct, frozen=True):
    """How many hits cost from `price_from` to below `price_below` (None: no upper bound)."""

    price_from: int
    price_below: int | None
    count: int


class Facets(msgspec.Struct, frozen=True):
    """Counts to narrow the search by: each facet regards all filters except its own.

    Categories come by falling count, then by name; every range of `PRICE_STEPS` is there, empty or not.
    """

    categories: tuple[CategoryCount, ...]
    prices: tuple[PriceCount, ...]


class Results(msgspec.Struct, frozen=True):
    """A page of hits, of `total` in all.

    `approximate`: nothing has the words as typed, and these have words that are spelt nearly so. `following`
    is the place behind which the next page begins, None on the last.
    """

    hits: tuple[Hit, ...]
    total: int
    facets: Facets
    approximate: bool = False
    following: Place | None = None


NOTHING = Results(
    (),
    0,
    Facets(
        (),
        tuple(PriceCount(*bounds, 0) for bounds in zip(PRICE_STEPS, (*PRICE_STEPS[1:], None), strict=True)),
    ),
)


class Suggestion(msgspec.Struct, frozen=True):
    """A product whose name has words that begin like the typed text."""

    sku: str
    name: str


class SearchBackend(Protocol):
    """Searches the products on sale. Words may be misspelt by a letter or two; every word must match."""

    async def search(self, query: Query) -> Results:
        """Return a page of hits with the counts of their facets.

        Raises SearchUnavailableError where the server does not answer.
        """
        ...

    async def suggest(self, prefix: str, limit: int = 8) -> tuple[Suggestion, ...]:
        """Return products to suggest while `prefix` is being typed, best first.

        Raises SearchUnavailableError where the server does not answer.
        """
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...
