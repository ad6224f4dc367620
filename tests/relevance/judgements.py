"""Judged queries: what a shopper wants is written down as words and a category, never taken from a ranking.

A line of `queries.csv` says what is typed and what is wanted: groups of words joined by `&`, all of which
must stand in a product's name, each as one of the alternatives that `|` parts, as whole words in singular or
plural; `sku:` stands for the product itself. A product's grade is

- 3 where it is wanted, in the wanted category (any, where none is given), and among the best-selling third of
  those in the file's last three months, which no ranking has seen (`shop` sells the months before);
- 2 where it is wanted and in that category;
- 1 where its name has the words, but it is another kind of thing (a card with a lantern on it);
- 0 otherwise.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

QUERIES = Path(__file__).parent / "queries.csv"
BESTSELLERS = 1 / 3

_SKU = "sku:"


class Sold(Protocol):
    """A product of the catalogue, and how many pieces of it were sold after what rankings know."""

    @property
    def sku(self) -> str:
        """Return the stock keeping unit."""
        ...

    @property
    def name(self) -> str:
        """Return the name on its page."""
        ...

    @property
    def category(self) -> str:
        """Return the category it stands in."""
        ...

    @property
    def sold_later(self) -> int:
        """Return the pieces sold in the last three months."""
        ...


@dataclass(frozen=True)
class Judged:
    """A query of a kind (word, typo, ...), and the grades (1 to 3) of what is wanted, by SKU."""

    kind: str
    text: str
    grades: Mapping[str, int]


def judged(catalogue: Iterable[Sold]) -> list[Judged]:
    """Judge every query of `queries.csv` over the catalogue. Raises ValueError where one wants nothing."""
    products = list(catalogue)
    with QUERIES.open(newline="") as file:
        found = [
            Judged(row["kind"], row["query"], _grades(row["wanted"], row["category"], products))
            for row in csv.DictReader(file)
        ]
    for each in found:
        if not any(grade > 1 for grade in each.grades.values()):
            raise ValueError(f"{each.text!r}: no product of the catalogue is wanted")
    return found


def _grades(wanted: str, category: str, products: Iterable[Sold]) -> dict[str, int]:
    named = [product for product in products if _is_wanted(wanted, product)]
    placed = [product for product in named if not category or product.category == category]
    best = sorted(placed, key=lambda product: (-product.sold_later, product.sku))
    best = [product for product in best[: max(1, round(len(best) * BESTSELLERS))] if product.sold_later]
    return {
        **{product.sku: 1 for product in named},
        **{product.sku: 2 for product in placed},
        **{product.sku: 3 for product in best},
    }


def _is_wanted(wanted: str, product: Sold) -> bool:
    if wanted.startswith(_SKU):
        return product.sku in {alternative.removeprefix(_SKU) for alternative in wanted.split("|")}
    words = " ".join(re.findall(r"[^\W_]+", product.name.lower()))
    return all(re.search(rf"\b(?:{group.strip()})(?:s|es)?\b", words) for group in wanted.split("&"))
