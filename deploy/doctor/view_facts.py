"""Facts from the views: PostgreSQL, Redis, and Elasticsearch where it is configured."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import psycopg
from elasticsearch import ApiError, Elasticsearch, TransportError
from elasticsearch.helpers import scan
from psycopg.rows import dict_row
from redis import Redis
from redis.exceptions import RedisError

from deploy.doctor.facts import Row, Views
from deploy.errors import CommandError
from sinks.cart.projectors import cart_key
from sinks.order.index import ORDERS
from sinks.product.index import PRODUCTS
from topics.patience import patiently
from topics.redaction import redacted, shown
from topics.settings import Settings

_BATCH = 500
_TIMEOUT_S = 10

_STOCK = """
SELECT sku AS id, on_hand, reserved, available, received, committed, version,
       (SELECT count(*) FROM stock_movements AS m WHERE m.sku = l.sku) AS movements
FROM stock_levels AS l
"""
_PRODUCTS = "SELECT sku AS id, name, price, currency, active, version FROM products"
_PAYMENTS = """
SELECT order_id::text AS id, status, amount, currency, attempts, provider_reference, version FROM payments
"""
_ORDERS = """
SELECT o.order_id::text AS id, o.kind, o.status, o.currency, o.goods, o.charged, o.total, o.version,
       o.country, (extract(epoch FROM o.placed_at) * 1000)::bigint AS placed_at,
       coalesce(l.lines, '') AS lines,
       coalesce(l.line_count, 0)::bigint AS line_count, coalesce(l.total, 0)::bigint AS lines_total,
       coalesce(c.total, 0)::bigint AS charges_total
FROM orders o
LEFT JOIN (SELECT order_id, count(*) AS line_count, sum(quantity * coalesce(unit_price, 0)) AS total,
                  md5(string_agg(concat_ws('|', line_id, sku, quantity, unit_price), ','
                                 ORDER BY line_id COLLATE "C")) AS lines
           FROM order_lines GROUP BY order_id) l USING (order_id)
LEFT JOIN (SELECT order_id, sum(quantity * amount) AS total FROM order_charges GROUP BY order_id) c
          USING (order_id)
"""


def load(settings: Settings, carts: Iterable[str]) -> Views:
    """Return all views, of carts those given. Raises CommandError where a server does not answer."""
    views = _postgres(settings)
    views.carts = _redis(settings, carts)
    if settings.elasticsearch:
        views.found_products = found(settings.elasticsearch, PRODUCTS.alias)
        views.found_orders = found(settings.elasticsearch, ORDERS.alias)
    return views


def _postgres(settings: Settings) -> Views:
    def look() -> Views:
        with psycopg.connect(
            settings.postgres_dsn, connect_timeout=_TIMEOUT_S, row_factory=dict_row
        ) as open_:
            return Views(
                products=_by_id(open_, _PRODUCTS),
                stock_levels=_by_id(open_, _STOCK),
                orders=_by_id(open_, _ORDERS),
                payments=_by_id(open_, _PAYMENTS),
            )

    try:
        return patiently(look)
    except psycopg.Error as error:
        raise CommandError(f"PostgreSQL views: {redacted(str(error).strip().splitlines()[0])}") from error


def _by_id(connection: psycopg.Connection[dict[str, Any]], query: str) -> dict[str, Row]:
    with connection.cursor() as cursor:
        return {row.pop("id"): row for row in cursor.execute(query.encode())}


def _redis(settings: Settings, carts: Iterable[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    redis = Redis.from_url(settings.redis_url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
    try:
        with redis:
            for ids in _batches(list(carts)):
                for cart_id, text in zip(ids, _texts(redis, ids), strict=True):
                    if text is not None:
                        cart = msgspec.json.decode(text)
                        found[cart_id] = {**cart, "line_count": len(cart["lines"])}
    except RedisError as error:
        raise CommandError(f"Redis at {shown(settings.redis_url)}: {redacted(str(error))}") from error
    return found


def _texts(redis: Redis, ids: list[str]) -> list[Any]:
    texts: list[Any] = patiently(lambda: redis.mget([cart_key(one) for one in ids]))
    return texts


def _batches(ids: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(ids), _BATCH):
        yield ids[first : first + _BATCH]


def found(url: str, index: str) -> dict[str, Row]:
    """Return an index's documents by id, without their texts. Raises CommandError where it cannot."""
    fields = {"excludes": ["lines", "charges", "description"]}
    client = Elasticsearch(url, request_timeout=_TIMEOUT_S)
    try:
        patiently(lambda: client.indices.refresh(index=index))
        return {hit["_id"]: hit["_source"] for hit in scan(client, index=index, query={"_source": fields})}
    except (ApiError, TransportError) as error:
        raise CommandError(f"Elasticsearch at {shown(url)}: {redacted(str(error))}") from error
    finally:
        client.close()
