"""The doctor against views that the real sinks wrote: what they write must be what it expects."""

from collections.abc import Iterable
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from connectors.elasticsearch.sink import ElasticsearchSink
from connectors.postgres.sink import PostgresSink
from connectors.redis.sink import RedisSink
from connectors.runtime.projection import AnyProjection
from connectors.runtime.record import Record
from connectors.runtime.sink import Sink
from deploy.doctor import topic_facts, view_facts
from deploy.doctor.check import examine
from deploy.doctor.checks import views
from deploy.doctor.facts import Facts
from deploy.errors import CommandError
from deploy.records.record import Record as RawRecord
from schemas.order import OrderStatus
from schemas.payment import PaymentStatus
from sinks import elasticsearch as search
from sinks import postgres as relational
from sinks import redis as values
from sinks.elasticsearch import INDICES
from sinks.migrate import migrate
from sinks.order.index import ORDERS
from sinks.postgres import TABLES
from sinks.product.index import PRODUCTS
from tables.cart import CART as CARTS
from tables.cart import Cart
from tables.inventory.stock import STOCK, Stock
from tables.product import PRODUCT, Product
from tests.unit.sinks.messages import NOW, cart, event, order, payment, product, stock, uid
from tests.unit.sinks.records import batch, record
from topics import registry as t
from topics.settings import Settings

SKU, ORDER, CART = "85123A", uid("order"), uid("cart")

RECORDS = [
    record(t.PRODUCT_CREATED, event(t.PRODUCT_CREATED, SKU, 1, product())),
    record(t.PRODUCT_UPDATED, event(t.PRODUCT_UPDATED, SKU, 2, product(price=300))),
    record(t.INVENTORY_UPDATED, event(t.INVENTORY_UPDATED, SKU, 1, stock(10))),
    record(t.ORDER_CONFIRMED, event(t.ORDER_CONFIRMED, ORDER, 2, order(OrderStatus.CONFIRMED))),
    record(t.ORDER_PLACED, event(t.ORDER_PLACED, ORDER, 1, order())),
    record(t.PAYMENT_COMPLETED, event(t.PAYMENT_COMPLETED, ORDER, 1, payment())),
    record(t.PAYMENT_CAPTURED, event(t.PAYMENT_CAPTURED, ORDER, 2, payment(PaymentStatus.CAPTURED))),
    record(t.CART_UPDATED, event(t.CART_UPDATED, CART, 3, cart(SKU))),
]


def told() -> Facts:
    """The facts of the topics, and tables that go with them."""
    _, events = topic_facts.load(
        RawRecord(one.topic, one.partition, one.offset, one.timestamp, one.key, one.value) for one in RECORDS
    )
    facts = Facts(events=events)
    facts.tables[PRODUCT][SKU] = Product(product(price=300), 2)
    facts.tables[STOCK][SKU] = Stock(version=1, on_hand=10, received=10)
    facts.tables[CARTS][CART] = Cart(version=3, updated_at=NOW)
    return facts


async def write(sink: Sink[Any], projections: Iterable[AnyProjection[Any]], records: list[Record]) -> None:
    assert await sink.write(batch(list(projections), records)) == ()
    await sink.close()


def violations(facts: Facts) -> list[tuple[str, str]]:
    outcomes = examine(facts, views.CHECKS)
    return [(one.check, one.id) for outcome in outcomes for one in outcome.violations]


@pytest.fixture
def databases(settings: Settings, postgres: str, redis_url: str) -> Settings:
    assert (settings.postgres_dsn, settings.redis_url) == (postgres, redis_url)
    chosen = settings.model_copy(update={"elasticsearch": None})
    migrate(chosen)
    return chosen


async def test_what_the_sinks_write_is_what_the_doctor_expects(databases: Settings) -> None:
    await write(PostgresSink(databases.postgres_dsn, TABLES), relational.PROJECTIONS, RECORDS)
    await write(RedisSink(databases.redis_url, 60), values.PROJECTIONS, RECORDS)
    facts = told()
    facts.views = view_facts.load(databases, [CART])
    assert violations(facts) == []
    assert (len(facts.views.orders), len(facts.views.carts)) == (1, 1)


async def test_what_the_sinks_did_not_write_is_missed(databases: Settings) -> None:
    facts = told()
    facts.views = view_facts.load(databases, [CART])
    assert {check for check, _ in violations(facts)} == {
        "view_stock",
        "view_products",
        "view_orders",
        "view_payments",
        "view_carts",
    }


async def test_elasticsearch_is_compared_where_it_is_configured(
    databases: Settings, elasticsearch: str
) -> None:
    await write(PostgresSink(databases.postgres_dsn, TABLES), relational.PROJECTIONS, RECORDS)
    await write(RedisSink(databases.redis_url, 60), values.PROJECTIONS, RECORDS)
    names = {index.alias: f"doctor-{uid(databases.postgres_dsn)}-{index.alias}" for index in INDICES}
    await write(ElasticsearchSink(elasticsearch, INDICES, targets=names), search.PROJECTIONS, RECORDS)
    facts = told()
    facts.views = view_facts.load(databases, [CART])
    facts.views.found_products = view_facts.found(elasticsearch, names[PRODUCTS.alias])
    facts.views.found_orders = view_facts.found(elasticsearch, names[ORDERS.alias])
    assert violations(facts) == []
    with Elasticsearch(elasticsearch) as client:
        client.update(index=names[ORDERS.alias], id=ORDER, doc={"total": 1})
    facts.views.found_orders = view_facts.found(elasticsearch, names[ORDERS.alias])
    assert violations(facts) == [("view_found_orders", ORDER)]
    with Elasticsearch(elasticsearch) as client:
        client.indices.delete(index=list(names.values()))


def test_a_search_server_that_does_not_answer_is_said() -> None:
    with pytest.raises(CommandError, match="Elasticsearch at"):
        view_facts.found("http://127.0.0.1:1", "any")
