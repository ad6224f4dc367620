"""Where a search goes on: the back end's place as a cursor of this search alone."""

from msgspec.structs import replace

from api import cursors
from sinks.search.backend import Query, Results, Sort

_KINDS: dict[Sort, type] = {
    Sort.RELEVANCE: float,
    Sort.PRICE_UP: int,
    Sort.PRICE_DOWN: int,
    Sort.NAME: str,
    Sort.NEWEST: int,
}


def behind(query: Query, cursor: str | None) -> Query:
    """Return the query for what lies behind a cursor; raises a 422 Problem for another search's."""
    if cursor is None:
        return query
    value, sku = cursors.decode(cursor, _of(query), (_KINDS[query.sort], str))
    return replace(query, offset=0, after=(value, sku))


def following(query: Query, results: Results) -> str | None:
    """Return the cursor of the next page, None on the last."""
    return None if results.following is None else cursors.encode(_of(query), *results.following)


def _of(query: Query) -> str:
    return cursors.list_of("search", query.text, query.filters, query.sort)
