"""The index of orders."""

from connectors.elasticsearch.index import Index
from sinks.analysis import CHANGEABLE, DATE, KEYWORD, LONG, SETTINGS, WORDS

ORDERS = Index(
    alias="ecommerce-orders",
    settings=SETTINGS,
    changeable=CHANGEABLE,
    mappings={
        "dynamic": "strict",
        "properties": {
            "order_id": KEYWORD,
            "kind": KEYWORD,
            "status": KEYWORD,
            "cart_id": KEYWORD,
            "user_id": KEYWORD,
            "email": KEYWORD,
            "customer": WORDS,
            "country": KEYWORD,
            "currency": KEYWORD,
            "goods": LONG,
            "charged": LONG,
            "total": LONG,
            "placed_at": DATE,
            "updated_at": DATE,
            "reason": KEYWORD,
            "tracking": KEYWORD,
            "version": LONG,
            "line_count": LONG,
            "charge_count": LONG,
            "units": LONG,
            "lines": {
                "properties": {
                    "line_id": KEYWORD,
                    "sku": KEYWORD,
                    "name": WORDS,
                    "quantity": LONG,
                    "unit_price": LONG,
                }
            },
            "charges": {
                "properties": {
                    "code": KEYWORD,
                    "description": WORDS,
                    "quantity": LONG,
                    "amount": LONG,
                }
            },
        },
    },
)
