"""The Elasticsearch indices: what is analysed how. Money is in minor units, times are epoch milliseconds.

The analysis keeps to what every distribution of Elasticsearch holds: no `search_as_you_type` and no
`scaled_float`; words that are being typed match by edge n-grams. What is searched comes folded from the sink
(`sinks.search.words`); the index stems it with Porter's second stemmer and keeps stop words, as PostgreSQL's
document does: the t of "t-light" is a word.
"""

from dataclasses import replace
from typing import Any

from connectors.elasticsearch.index import Index
from topics.settings import Settings

_KEYWORD = {"type": "keyword", "ignore_above": 512}
_LONG = {"type": "long"}
_DATE = {"type": "date", "format": "epoch_millis"}
_WORDS = {"type": "text", "analyzer": "stems"}
_TYPED = {"type": "text", "analyzer": "beginnings", "search_analyzer": "plain"}

_ANALYSIS: dict[str, Any] = {
    "char_filter": {
        # What is neither letter nor digit parts words, as in `sinks.search.words`.
        "spaced": {"type": "pattern_replace", "pattern": "[^\\p{L}\\p{M}\\p{N}]", "replacement": " "}
    },
    "filter": {
        "beginnings": {"type": "edge_ngram", "min_gram": 1, "max_gram": 20},
        "stems": {"type": "stemmer", "language": "porter2"},
    },
    "analyzer": {
        name: {
            "type": "custom",
            "char_filter": ["spaced"],
            "tokenizer": "whitespace",
            "filter": ["lowercase", "asciifolding", *more],
        }
        for name, more in {"plain": [], "stems": ["stems"], "beginnings": ["beginnings"]}.items()
    },
    "normalizer": {"lower": {"type": "custom", "filter": ["lowercase"]}},
}

# Said, and not left to the default: an index of which nobody asks for half a minute would else be refreshed
# by the next to ask, who waits for it. Deletions are remembered for as long as their elders may come late.
_CHANGEABLE = {"refresh_interval": "1s", "gc_deletes": "1h"}

_SETTINGS = {"number_of_shards": 1, "auto_expand_replicas": "0-1", "analysis": _ANALYSIS}

PRODUCTS = Index(
    alias="ecommerce-products",
    settings=_SETTINGS,
    changeable=_CHANGEABLE,
    mappings={
        "dynamic": "strict",
        "properties": {
            "sku": _KEYWORD,
            "name": {
                **_WORDS,
                "fields": {"typed": _TYPED, "order": {**_KEYWORD, "normalizer": "lower"}},
            },
            "description": {**_KEYWORD, "index": False, "doc_values": False},
            "categories": _KEYWORD,
            # What search reads: name and SKU, and everything, folded.
            "title": {**_WORDS, "fields": {"typed": _TYPED}},
            "document": _WORDS,
            # The name's words as written: what a misspelt one may have meant.
            "words": _KEYWORD,
            "price": _LONG,
            "currency": _KEYWORD,
            "active": {"type": "boolean"},
            "low_stock_threshold": _LONG,
            "created_at": _DATE,
            "updated_at": _DATE,
            "version": _LONG,
            "available": _LONG,
            "sold": _LONG,
            "stock_version": _LONG,
        },
    },
)

ORDERS = Index(
    alias="ecommerce-orders",
    settings=_SETTINGS,
    changeable=_CHANGEABLE,
    mappings={
        "dynamic": "strict",
        "properties": {
            "order_id": _KEYWORD,
            "kind": _KEYWORD,
            "status": _KEYWORD,
            "cart_id": _KEYWORD,
            "user_id": _KEYWORD,
            "email": _KEYWORD,
            "customer": _WORDS,
            "country": _KEYWORD,
            "currency": _KEYWORD,
            "goods": _LONG,
            "charged": _LONG,
            "total": _LONG,
            "placed_at": _DATE,
            "updated_at": _DATE,
            "reason": _KEYWORD,
            "tracking": _KEYWORD,
            "version": _LONG,
            "line_count": _LONG,
            "charge_count": _LONG,
            "units": _LONG,
            "lines": {
                "properties": {
                    "line_id": _KEYWORD,
                    "sku": _KEYWORD,
                    "name": _WORDS,
                    "quantity": _LONG,
                    "unit_price": _LONG,
                }
            },
            "charges": {
                "properties": {
                    "code": _KEYWORD,
                    "description": _WORDS,
                    "quantity": _LONG,
                    "amount": _LONG,
                }
            },
        },
    },
)

INDICES = (PRODUCTS, ORDERS)


def declared(settings: Settings) -> tuple[Index, ...]:
    """Return the indices with the refresh interval that is set."""
    changeable = {**_CHANGEABLE, "refresh_interval": settings.elasticsearch_refresh}
    return tuple(replace(index, changeable=changeable) for index in INDICES)
