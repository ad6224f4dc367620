"""The index of products."""

from connectors.elasticsearch.index import Index
from sinks.analysis import CHANGEABLE, DATE, KEYWORD, LONG, SETTINGS, TYPED, WORDS

PRODUCTS = Index(
    alias="ecommerce-products",
    settings=SETTINGS,
    changeable=CHANGEABLE,
    mappings={
        "dynamic": "strict",
        "properties": {
            "sku": KEYWORD,
            "name": {
                **WORDS,
                "fields": {"typed": TYPED, "order": {**KEYWORD, "normalizer": "lower"}},
            },
            "description": {**KEYWORD, "index": False, "doc_values": False},
            "categories": KEYWORD,
            # What search reads: name and SKU, and everything, folded.
            "title": {**WORDS, "fields": {"typed": TYPED}},
            "document": WORDS,
            # The name's words as written: what a misspelt one may have meant.
            "words": KEYWORD,
            "price": LONG,
            "currency": KEYWORD,
            "active": {"type": "boolean"},
            "low_stock_threshold": LONG,
            "created_at": DATE,
            "updated_at": DATE,
            "version": LONG,
            "available": LONG,
            "sold": LONG,
            "stock_version": LONG,
        },
    },
)
