"""The SQL of a search, with its values apart. What a shopper typed only ever travels as a value."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sinks.search.backend import PRICE_STEPS, Filters, Query, Sort
from sinks.search.marks import BRACKETS, CLOSE, OPEN
from sinks.search.tolerance import UNTOUCHED, edits
from sinks.search.words import words

LOWER_THRESHOLD = "SET LOCAL pg_trgm.word_similarity_threshold = 0.2"
"""Trigrams only preselect for the edit distance; two edits in a word of five letters leave few of them."""

FACET_CATEGORIES = 50

LONGEST = 60
"""Letters of a word that are compared: levenshtein refuses more than 255 bytes."""

_FROM = "FROM products p LEFT JOIN stock_levels s USING (sku)"
_AVAILABLE = "coalesce(s.available, 0)"
_ORDER = {
    Sort.PRICE_UP: "p.price, p.sku",
    Sort.PRICE_DOWN: "p.price DESC, p.sku",
    Sort.NAME: "lower(p.name), p.sku",
    Sort.NEWEST: "p.created_at DESC, p.sku",
}


@dataclass(frozen=True)
class Statement:
    """SQL and the values of its parameters."""

    sql: str
    values: tuple[Any, ...]


@dataclass
class _Where:
    """Conditions under construction; `value` returns the placeholder of a value."""

    conditions: list[str] = field(default_factory=lambda: ["p.active"])
    values: list[Any] = field(default_factory=list)

    def value(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"

    def text(self, typed: Sequence[str], *, tolerant: bool) -> None:
        for word in typed:
            beginning = self.value(f"{word}:*")
            ways = [
                f"p.document @@ to_tsquery('english', {beginning})",
                f"p.name_words @@ to_tsquery('simple', {beginning})",
                # A word that says nothing ("the") asks for nothing.
                f"numnode(to_tsquery('english', {beginning})) = 0",
            ]
            if tolerant and edits(word):
                ways.append(self.typo(word, letters=LONGEST))
            self.conditions.append(f"({' OR '.join(ways)})")

    def typo(self, word: str, *, letters: int) -> str:
        """Return the condition that the first `letters` letters of a word of the name are nearly `word`."""
        near, distance = f"{self.value(word)}::text", f"{self.value(edits(word))}::int"
        names_words = "regexp_split_to_table(lower(p.name), '\\W+') AS word"
        edited = f"levenshtein_less_equal(left(word, {letters}), {near}, {distance}) <= {distance}"
        first = f"starts_with(word, left({near}, {UNTOUCHED}))"
        return f"({near} <% lower(p.name) AND EXISTS (SELECT FROM {names_words} WHERE {first} AND {edited}))"

    def filters(self, filters: Filters, *, categories: bool = True, prices: bool = True) -> None:
        if categories and filters.categories:
            self.conditions.append(f"p.categories && {self.value(list(filters.categories))}::text[]")
        if prices and filters.price_from is not None:
            self.conditions.append(f"p.price >= {self.value(filters.price_from)}")
        if prices and filters.price_to is not None:
            self.conditions.append(f"p.price <= {self.value(filters.price_to)}")
        if filters.in_stock:
            self.conditions.append(f"{_AVAILABLE} > 0")

    def statement(self, select: str, tail: str = "") -> Statement:
        return Statement(
            f"SELECT {select} {_FROM} WHERE {' AND '.join(self.conditions)} {tail}", tuple(self.values)
        )


def hits(query: Query, *, tolerant: bool) -> Statement:
    """Return the statement for one page of hits."""
    where = _matching(query, tolerant=tolerant)
    asked = where.value(" | ".join(f"{word}:*" for word in words(query.text)))
    order = _ORDER.get(query.sort)
    if order is None and tolerant:
        order = f"word_similarity({where.value(' '.join(words(query.text)))}, lower(p.name)) DESC, p.sku"
    if order is None:
        order = f"ts_rank(p.document, to_tsquery('english', {asked})) DESC, p.sku"
    brackets = where.value(BRACKETS)
    marks = where.value(f"StartSel={OPEN}, StopSel={CLOSE}, HighlightAll=true")
    return where.statement(
        f"p.sku, p.name, p.description, p.categories, p.price, p.currency, {_AVAILABLE} AS available,"
        f" ts_headline('english', translate(p.name, '<>', {brackets}),"
        f" to_tsquery('english', {asked}), {marks}) AS highlight",
        f"ORDER BY {order} LIMIT {where.value(query.limit)} OFFSET {where.value(query.offset)}",
    )


def total(query: Query, *, tolerant: bool) -> Statement:
    """Return the statement that counts the hits."""
    return _matching(query, tolerant=tolerant).statement("count(*) AS total")


def categories(query: Query, *, tolerant: bool) -> Statement:
    """Return the statement for the category facet: all filters but its own."""
    where = _Where()
    where.text(words(query.text), tolerant=tolerant)
    where.filters(query.filters, categories=False)
    return where.statement(
        "unnest(p.categories) AS category, count(*) AS count",
        f"GROUP BY 1 ORDER BY count DESC, category LIMIT {where.value(FACET_CATEGORIES)}",
    )


def prices(query: Query, *, tolerant: bool) -> Statement:
    """Return the statement for the price facet: `step` counts the ranges from 1."""
    where = _Where()
    where.text(words(query.text), tolerant=tolerant)
    where.filters(query.filters, prices=False)
    return where.statement(
        f"width_bucket(p.price, {where.value(list(PRICE_STEPS))}::bigint[]) AS step, count(*) AS count",
        "GROUP BY 1",
    )


def suggestions(typed: Sequence[str], limit: int, *, tolerant: bool) -> Statement:
    """Return the statement for suggestions: what can be bought comes first, then short names."""
    where = _Where()
    for word in typed:
        beginning = where.value(f"{word}:*")
        condition = f"p.name_words @@ to_tsquery('simple', {beginning})"
        if tolerant and edits(word):
            condition = f"({condition} OR {where.typo(word, letters=len(word))})"
        where.conditions.append(condition)
    order = f"({_AVAILABLE} > 0) DESC, length(p.name), p.sku"
    if tolerant:
        order = f"word_similarity({where.value(' '.join(typed))}, lower(p.name)) DESC, {order}"
    return where.statement("p.sku, p.name", f"ORDER BY {order} LIMIT {where.value(limit)}")


def _matching(query: Query, *, tolerant: bool) -> _Where:
    where = _Where()
    where.text(words(query.text), tolerant=tolerant)
    where.filters(query.filters)
    return where
