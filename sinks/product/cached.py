"""What drops a cached product: the newest version that was announced, next to the cache's own entry."""

from connectors.redis.value import Value
from schemas.envelope import Message
from schemas.product import ProductSnapshot
from sinks.columns import json_text


def newest_key(sku: str) -> str:
    """Return the Redis key of a product's newest version."""
    return f"product:{sku}:newest"


def newest_product(message: Message[ProductSnapshot]) -> tuple[Value]:
    """Return the product's version: whoever holds an older one has to read the product again.

    A deletion of the cached entry would not do: a reader that still saw the old row in PostgreSQL could put
    it back a moment later.
    """
    version = message.aggregate_version
    return (Value(newest_key(message.aggregate_id), version, json_text({"version": version})),)
