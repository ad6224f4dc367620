"""The SQL of a search, with its values apart. What a shopper typed only ever travels as a value.

One statement answers a search: the products that match are found once, and page, total and facets are read
from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sinks.search.backend import PRICE_STEPS, Filters, Place, Query, Sort
from sinks.search.marks import BRACKETS, CLOSE, OPEN
from sinks.search.ranking import AS_TYPED, AVAILABLE, BEGUN, IN_NAME, POPULAR
from sinks.search.reading import Reading, Term
from sinks.search.synonyms import Phrase

VOCABULARY = "SELECT word, ndoc FROM ts_stat('SELECT document FROM products WHERE active', 'd')"
"""The names' words as written, with the number of products that have them."""

FACET_CATEGORIES = 50

_STEMS = "'public.ecommerce_stems'"
_PLAIN = "'public.ecommerce_plain'"
_FROM = "FROM products p LEFT JOIN stock_levels s USING (sku)"
# What the hits are sorted by, whether it falls, and a place's text as such a value. The other engine's scores
# have more digits.
_ORDER = {
    Sort.RELEVANCE: ("score", True, "round({}::text::numeric, 4)"),
    Sort.PRICE_UP: ("price", False, "{}::text::bigint"),
    Sort.PRICE_DOWN: ("price", True, "{}::text::bigint"),
    Sort.NAME: ("lower(name)", False, "{}::text"),
    Sort.NEWEST: ("(extract(epoch FROM created_at) * 1000)::bigint", True, "{}::text::bigint"),
}


@dataclass(frozen=True)
class Statement:
    """SQL and the values of its parameters."""

    sql: str
    values: tuple[Any, ...]


@dataclass
class _Values:
    """The values of a statement under construction; calling it returns a value's placeholder."""

    values: list[Any] = field(default_factory=list)

    def __call__(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"

    def statement(self, sql: str) -> Statement:
        return Statement(sql, tuple(self.values))


def page(query: Query, readings: Sequence[Reading]) -> Statement:
    """Return the statement of one row: `hits`, `categories` and `prices` as JSON, and the `total`."""
    value = _Values()
    matched = _matched(readings, value)
    categories, prices = _category(query.filters, value), _price(query.filters, value)
    stock = "available > 0" if query.filters.in_stock else "true"
    # One more than is shown says whether there are more.
    limit, offset = value(query.limit + 1), value(query.offset)
    by, falls, read = _ORDER[query.sort]
    order = f"{by} {'DESC' if falls else 'ASC'}, sku"
    behind = _behind(query.after, by, read, value, falls=falls)
    steps, most = value(list(PRICE_STEPS)), value(FACET_CATEGORIES)
    return value.statement(f"""
        WITH {matched}, place AS (
            SELECT sku, available, {by} AS sorted_by, row_number() OVER (ORDER BY {order}) AS place
            FROM matched WHERE {categories} AND {prices} AND {stock} AND {behind}
            ORDER BY {order} LIMIT {limit} OFFSET {offset}
        ), hit AS (
            SELECT sku, name, description, categories, price, currency, available, sorted_by,
                   {_highlight(readings, value)} AS highlight
            FROM place JOIN products p USING (sku) ORDER BY place
        ), by_category AS (
            SELECT unnest(categories) AS category, count(*) AS count FROM matched
            WHERE {prices} AND {stock} GROUP BY 1 ORDER BY count DESC, category LIMIT {most}
        ), by_price AS (
            SELECT width_bucket(price, {steps}::bigint[]) AS step, count(*) AS count FROM matched
            WHERE {categories} AND {stock} GROUP BY 1
        )
        SELECT (SELECT coalesce(json_agg(hit), '[]') FROM hit) AS hits,
               (SELECT count(*) FROM matched WHERE {categories} AND {prices} AND {stock}) AS total,
               (SELECT coalesce(json_agg(by_category), '[]') FROM by_category) AS categories,
               (SELECT coalesce(json_object_agg(step, count), '{{}}') FROM by_price) AS prices
    """)  # noqa: S608 (values travel apart)


def _behind(after: Place | None, by: str, read: str, value: _Values, *, falls: bool) -> str:
    if after is None:
        return "true"
    last = read.format(value(str(after[0])))
    return f"({by} {'<' if falls else '>'} {last} OR ({by} = {last} AND sku > {value(after[1])}::text))"


def suggestions(readings: Sequence[Reading], limit: int) -> Statement:
    """Return the statement for suggestions: products whose name has all words, best first."""
    value = _Values()
    matched = _matched(readings, value)
    return value.statement(f"""
        WITH {matched} SELECT sku, name FROM matched
        WHERE fit > 0 ORDER BY score DESC, length(name), sku LIMIT {value(limit)}
    """)  # noqa: S608 (values travel apart)


def _matched(readings: Sequence[Reading], value: _Values) -> str:
    """Return the products that match, with their `fit` to what was typed and their `score`."""
    fit, condition = "0", "true"
    if readings:
        typed, named = value(_whole(readings[:1], ":A", typed=True)), value(_whole(readings, ":A"))
        begun = " || ".join(_begun(reading, value, ":A") for reading in readings)
        anywhere = " || ".join(_begun(reading, value) for reading in readings)
        condition = f"p.document @@ (to_tsquery({_STEMS}, {value(_whole(readings))}) || {anywhere})"
        fit = f"""CASE WHEN p.document @@ to_tsquery({_STEMS}, {typed}) THEN {AS_TYPED}
                       WHEN p.document @@ to_tsquery({_STEMS}, {named}) THEN {IN_NAME}
                       WHEN p.document @@ ({begun}) THEN {BEGUN} ELSE 0 END"""
    return f"""matched AS MATERIALIZED (
        SELECT *, round((fit + {POPULAR} * ln(1 + sold) + {AVAILABLE} * (available > 0)::int)::numeric, 4)
               AS score
        FROM (
            SELECT p.sku, p.name, p.price, p.categories, p.created_at, coalesce(s.available, 0) AS available,
                   coalesce(s.committed, 0) AS sold, {fit} AS fit
            {_FROM} WHERE p.active AND {condition}
        ) AS found
    )"""  # noqa: S608 (values travel apart)


def _highlight(readings: Sequence[Reading], value: _Values) -> str:
    brackets = value(BRACKETS)
    name = f"translate(p.name, '<>', {brackets})"
    if not readings:
        return name
    wanted = " | ".join(dict.fromkeys(word for reading in readings for word in _beginnings(reading)))
    marks = value(f"StartSel={OPEN}, StopSel={CLOSE}, HighlightAll=true")
    return f"ts_headline({_STEMS}, {name}, to_tsquery({_STEMS}, {value(wanted)}), {marks})"


def _beginnings(reading: Reading) -> list[str]:
    return [
        f"{word}:*" if term.unfinished and word == term.typed[-1] else word
        for term in reading
        for phrase in (term.typed, *term.others)
        for word in phrase
    ]


def _whole(readings: Sequence[Reading], weight: str = "", *, typed: bool = False) -> str:
    """Return whole words as the text of a tsquery: a term's own in any order, its others as phrases."""
    return " | ".join(
        " & ".join(_term(term if not typed else Term(term.typed), weight) for term in reading)
        for reading in readings
    )


def _term(term: Term, weight: str) -> str:
    ways = [" & ".join(f"{word}{weight}" for word in term.typed)]
    ways += [_phrase(phrase, weight) for phrase in term.others]
    return f"({' | '.join(f'({way})' for way in ways)})"


def _phrase(phrase: Phrase, weight: str) -> str:
    return " <-> ".join(f"{word}{weight}" for word in phrase)


def _begun(reading: Reading, value: _Values, weight: str = "") -> str:
    """Return the tsquery of a reading whose last word only begins one, of the name or the SKU."""
    *whole, last = reading
    parts = [*(_term(term, weight) for term in whole), *(f"{word}{weight}" for word in last.typed[:-1])]
    beginning = f"to_tsquery({_PLAIN}, {value(f'{last.typed[-1]}:*AD')})"
    return f"(to_tsquery({_STEMS}, {value(' & '.join(parts))}) && {beginning})" if parts else beginning


def _category(filters: Filters, value: _Values) -> str:
    return f"categories && {value(list(filters.categories))}::text[]" if filters.categories else "true"


def _price(filters: Filters, value: _Values) -> str:
    bounds = [
        f"price {sign} {value(bound)}"
        for sign, bound in ((">=", filters.price_from), ("<=", filters.price_to))
        if bound is not None
    ]
    return " AND ".join(bounds) or "true"
