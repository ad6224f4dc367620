"""The body of a search request to Elasticsearch. Pure."""

from collections.abc import Sequence
from typing import Any

from sinks.search.backend import PRICE_STEPS, Filters, Query, Sort
from sinks.search.marks import CLOSE, OPEN
from sinks.search.tolerance import ONE_EDIT_FROM, TWO_EDITS_FROM, UNTOUCHED
from sinks.search.words import words

FACET_CATEGORIES = 50

_FIELDS = ["name^4", "name.typed^2", "sku.typed^4", "categories.words^2", "description"]
_FUZZINESS = f"AUTO:{ONE_EDIT_FROM},{TWO_EDITS_FROM}"
_BY_SKU = {"sku": "asc"}
_ORDER: dict[Sort, list[dict[str, str]]] = {
    Sort.RELEVANCE: [{"_score": "desc"}, _BY_SKU],
    Sort.PRICE_UP: [{"price": "asc"}, _BY_SKU],
    Sort.PRICE_DOWN: [{"price": "desc"}, _BY_SKU],
    Sort.NAME: [{"name.order": "asc"}, _BY_SKU],
    Sort.NEWEST: [{"created_at": "desc"}, _BY_SKU],
}

Json = dict[str, Any]


def search_body(query: Query, *, tolerant: bool) -> Json:
    """Return the request for a page of hits: each facet counts under all filters except its own."""
    filters = query.filters
    return {
        "query": {"bool": {"must": _text(words(query.text), tolerant=tolerant), "filter": _ON_SALE}},
        "post_filter": _all(_categories(filters) + _prices(filters) + _stock(filters)),
        "aggs": {
            "categories": {
                "filter": _all(_prices(filters) + _stock(filters)),
                "aggs": {
                    "counts": {
                        "terms": {
                            "field": "categories",
                            "size": FACET_CATEGORIES,
                            "order": [{"_count": "desc"}, {"_key": "asc"}],
                        }
                    }
                },
            },
            "prices": {
                "filter": _all(_categories(filters) + _stock(filters)),
                "aggs": {"counts": {"range": {"field": "price", "ranges": _steps()}}},
            },
        },
        "highlight": {
            "fields": {"name": {"number_of_fragments": 0, "matched_fields": ["name", "name.typed"]}},
            "pre_tags": [OPEN],
            "post_tags": [CLOSE],
            "type": "unified",
        },
        "sort": _ORDER[query.sort],
        "from": query.offset,
        "size": query.limit,
        "track_total_hits": True,
        "_source": {"excludes": ["created_at", "updated_at", "version", "stock_version"]},
    }


def suggest_body(typed: Sequence[str], limit: int, *, tolerant: bool) -> Json:
    """Return the request for suggestions: what can be bought comes first among equals."""
    fuzzy: Json = {"fuzziness": _FUZZINESS, "prefix_length": UNTOUCHED} if tolerant else {}
    must = [{"match": {"name.typed": {"query": word, **fuzzy}}} for word in typed]
    in_stock = {"range": {"available": {"gt": 0}}}
    return {
        "query": {
            "bool": {
                "must": must,
                "filter": _ON_SALE,
                "should": {"constant_score": {"filter": in_stock, "boost": 2}},
            }
        },
        "sort": [{"_score": "desc"}, _BY_SKU],
        "size": limit,
        "_source": ["sku", "name"],
    }


_ON_SALE: list[Json] = [{"term": {"active": True}}]


def _text(typed: Sequence[str], *, tolerant: bool) -> list[Json]:
    return [_word(word, tolerant=tolerant) for word in typed] or [{"match_all": {}}]


def _word(word: str, *, tolerant: bool) -> Json:
    # A word that says nothing ("the") asks for nothing.
    asked: Json = {"query": word, "fields": _FIELDS, "zero_terms_query": "all"}
    if tolerant:
        asked |= {"fuzziness": _FUZZINESS, "prefix_length": UNTOUCHED}
    return {"multi_match": asked}


def _all(filters: list[Json]) -> Json:
    return {"bool": {"filter": filters}}


def _categories(filters: Filters) -> list[Json]:
    return [{"terms": {"categories": list(filters.categories)}}] if filters.categories else []


def _prices(filters: Filters) -> list[Json]:
    bounds = {"gte": filters.price_from, "lte": filters.price_to}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    return [{"range": {"price": given}}] if given else []


def _stock(filters: Filters) -> list[Json]:
    return [{"range": {"available": {"gt": 0}}}] if filters.in_stock else []


def _steps() -> list[Json]:
    bounds = (*PRICE_STEPS, None)
    return [
        {"from": low} if high is None else {"from": low, "to": high}
        for low, high in zip(PRICE_STEPS, bounds[1:], strict=True)
    ]
