"""The body of a search request to Elasticsearch. Pure."""

from collections.abc import Sequence
from typing import Any

from sinks.search.backend import PRICE_STEPS, Filters, Query, Sort
from sinks.search.marks import CLOSE, OPEN
from sinks.search.ranking import AS_TYPED, AVAILABLE, BEGUN, IN_NAME, POPULAR
from sinks.search.reading import Reading, Term

FACET_CATEGORIES = 50

_BY_SKU = {"sku": "asc"}
_ORDER: dict[Sort, list[dict[str, str]]] = {
    Sort.RELEVANCE: [{"_score": "desc"}, _BY_SKU],
    Sort.PRICE_UP: [{"price": "asc"}, _BY_SKU],
    Sort.PRICE_DOWN: [{"price": "desc"}, _BY_SKU],
    Sort.NAME: [{"name.order": "asc"}, _BY_SKU],
    Sort.NEWEST: [{"created_at": "desc"}, _BY_SKU],
}

Json = dict[str, Any]


def search_body(query: Query, readings: Sequence[Reading]) -> Json:
    """Return the request for a page of hits: each facet counts under all filters except its own."""
    filters = query.filters
    # One more than is shown says whether there are more.
    page: Json = {"from": query.offset, "size": query.limit + 1}
    if query.after is not None:
        page["search_after"] = list(query.after)
    return {
        "query": _scored(readings),
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
            "fields": {
                "name": {
                    "number_of_fragments": 0,
                    "matched_fields": ["name", "name.typed"],
                    "highlight_query": _any(_marked(readings)),
                }
            },
            "pre_tags": [OPEN],
            "post_tags": [CLOSE],
            "type": "unified",
        },
        "sort": _ORDER[query.sort],
        **page,
        "track_total_hits": True,
        "_source": ["sku", "name", "description", "categories", "price", "currency", "available"],
    }


def suggest_body(readings: Sequence[Reading], limit: int) -> Json:
    """Return the request for suggestions: products whose name has all words, best first."""
    return {
        "query": _scored(readings),
        "post_filter": _any(
            [_begun(each, "title") for each in readings] + [_whole(each, "title") for each in readings]
        ),
        "sort": [{"_score": "desc"}, _BY_SKU],
        "size": limit,
        "_source": ["sku", "name"],
    }


VOCABULARY: Json = {
    "size": 0,
    "query": {"term": {"active": True}},
    "aggs": {"words": {"terms": {"field": "words", "size": 50_000}}},
}
"""The request for the names' words as written, with the number of products that have them."""


def _scored(readings: Sequence[Reading]) -> Json:
    """Return the query for what matches, scored by `sinks.search.ranking`: the best fit, sales and stock."""
    whole = [_whole(each, "title") for each in readings]
    begun = [_begun(each, "title") for each in readings]
    anywhere = [_whole(each, "document") for each in readings] + [
        _begun(each, "document") for each in readings
    ]
    fits = (
        (AS_TYPED, [_all([_typed(term, "title") for term in each]) for each in readings[:1]]),
        (IN_NAME, whole),
        (BEGUN, begun),
    )
    fit = {
        "dis_max": {
            "queries": [{"constant_score": {"filter": _any(ways), "boost": boost}} for boost, ways in fits]
        }
    }
    matching = {"bool": {"filter": [_ON_SALE, _any(anywhere)], "should": [fit] if readings else []}}
    return {
        "function_score": {
            "query": matching,
            "functions": [
                {
                    "field_value_factor": {"field": "sold", "modifier": "ln1p", "missing": 0},
                    "weight": POPULAR,
                },
                {"filter": _IN_STOCK, "weight": AVAILABLE},
            ],
            "score_mode": "sum",
            "boost_mode": "sum",
        }
    }


_ON_SALE: Json = {"term": {"active": True}}
_IN_STOCK: Json = {"range": {"available": {"gt": 0}}}


def _whole(reading: Reading, field: str) -> Json:
    return _all([_term(term, field) for term in reading])


def _begun(reading: Reading, field: str) -> Json:
    """Return the query of a reading whose last word only begins one, of the name or the SKU."""
    *whole, last = reading
    beginning = {"match": {"title.typed": last.typed[-1]}}
    before = [_typed(Term(last.typed[:-1]), field)] if last.typed[:-1] else []
    return _all([*(_term(term, field) for term in whole), *before, beginning])


def _marked(readings: Sequence[Reading]) -> list[Json]:
    """Return a query per word: a phrase would be marked as one."""
    every = (phrase for reading in readings for term in reading for phrase in (term.typed, *term.others))
    words = dict.fromkeys(word for phrase in every for word in phrase)
    begun = {reading[-1].typed[-1] for reading in readings}
    return [
        *({"match": {"name": word}} for word in words),
        *({"match": {"name.typed": word}} for word in sorted(begun)),
    ]


def _term(term: Term, field: str) -> Json:
    phrases = [{"match_phrase": {field: " ".join(phrase)}} for phrase in term.others]
    return _any([_typed(term, field), *phrases])


def _typed(term: Term, field: str) -> Json:
    return {"match": {field: {"query": " ".join(term.typed), "operator": "and"}}}


def _any(ways: list[Json]) -> Json:
    return {"bool": {"should": ways, "minimum_should_match": 1}} if ways else {"match_all": {}}


def _all(filters: list[Json]) -> Json:
    return {"bool": {"filter": filters}}


def _categories(filters: Filters) -> list[Json]:
    return [{"terms": {"categories": list(filters.categories)}}] if filters.categories else []


def _prices(filters: Filters) -> list[Json]:
    bounds = {"gte": filters.price_from, "lte": filters.price_to}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    return [{"range": {"price": given}}] if given else []


def _stock(filters: Filters) -> list[Json]:
    return [_IN_STOCK] if filters.in_stock else []


def _steps() -> list[Json]:
    bounds = (*PRICE_STEPS, None)
    return [
        {"from": low} if high is None else {"from": low, "to": high}
        for low, high in zip(PRICE_STEPS, bounds[1:], strict=True)
    ]
