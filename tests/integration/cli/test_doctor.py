"""The doctor on real servers: a small world, consistent, then broken in one place after the other."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from deploy.topology.gather import running
from schemas.envelope import Message, derived_id
from schemas.inventory import InventoryUpdated, Movement, MovementKind
from schemas.product import ProductSnapshot
from sinks.migrate import migrate
from tables.inventory.stock import STOCK, Facts, Stock
from tables.product import PRODUCT, Product
from tests.integration.cli.conftest import Ecommerce
from tests.stack import Stack
from topics import admin
from topics.connection import librdkafka_options
from topics.registry import INVENTORY_UPDATED, PRODUCT_CREATE, PRODUCT_CREATED
from topics.settings import Settings
from topics.topic import Topic
from topics.wire import encode

SKU = "LAMP"
CREATED = ProductSnapshot("Lamp", "", (), 150, "GBP", 1, active=True, created_at=1, updated_at=1)
LEVEL = InventoryUpdated(10, 0, 10, 10, 0, 1, Movement(MovementKind.RECEIVE, 10, "r", "opening"))
STATE = Stock(version=1, on_hand=10, received=10, facts=Facts(1, "Lamp", 150, "GBP", True, 1))  # noqa: FBT003


def event(topic: Topic[Any], data: msgspec.Struct, name: str) -> bytes:
    return encode(
        topic,
        Message(
            event_id=derived_id(name),
            event_type=topic.name,
            aggregate_id=SKU,
            aggregate_type=topic.aggregate,
            aggregate_version=1,
            occurred_at=1,
            source="test",
            correlation_id="c",
            data=data,
        ),
    )


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Servers of this module's own: the doctor looks at everything that is there."""
    stack = Stack(tmp_path_factory.mktemp("doctor"))
    stack.kafka()
    stack.postgres()
    stack.redis()
    admin.create(stack.settings)
    migrate(stack.settings)
    yield stack
    stack.close()


@pytest.fixture
def settings(own: Stack) -> Settings:
    return own.settings.model_copy(update={"elasticsearch": None})


@pytest.fixture
def produce(settings: Settings) -> Iterator[Callable[[str, bytes | None], None]]:
    producer = Producer({**librdkafka_options(settings), "partitioner": "murmur2_random", "log_level": 0})

    def send(topic: str, value: bytes | None) -> None:
        producer.produce(topic, value, SKU)
        assert producer.flush(30) == 0

    yield send
    producer.flush(30)


def read_everything(settings: Settings) -> None:
    """Let every consumer group have read what there is."""
    for component in running(settings):
        if component.group is None:
            continue
        consumer = Consumer({**librdkafka_options(settings), "group.id": component.group})
        offsets = []
        for topic in component.consumes:
            for partition in range(len(consumer.list_topics(topic).topics[topic].partitions)):
                _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)
                offsets.append(TopicPartition(topic, partition, end))
        consumer.commit(offsets=offsets, asynchronous=False)
        consumer.close()


@pytest.fixture
def world(settings: Settings, produce: Callable[[str, bytes | None], None]) -> Settings:
    """One product with ten pieces, the same in topics, tables and views."""
    produce(PRODUCT_CREATED.name, event(PRODUCT_CREATED, CREATED, "p1"))
    produce(INVENTORY_UPDATED.name, event(INVENTORY_UPDATED, LEVEL, "i1"))
    produce(PRODUCT.changelog.name, PRODUCT.encode(Product(CREATED, 1)))
    produce(STOCK.changelog.name, STOCK.encode(STATE))
    with psycopg.connect(settings.postgres_dsn, autocommit=True) as database:
        database.execute("TRUNCATE products, stock_levels, stock_movements")
        database.execute(
            "INSERT INTO products (sku, name, description, categories, price, currency, active,"
            " low_stock_threshold, created_at, updated_at, version)"
            " VALUES (%s, 'Lamp', '', '{}', 150, 'GBP', true, 1, now(), now(), 1)",
            (SKU,),
        )
        database.execute(
            "INSERT INTO stock_levels VALUES (%s, 10, 0, 10, 10, 0, 1, 1, now())",
            (SKU,),
        )
        database.execute(
            "INSERT INTO stock_movements VALUES (%s, 1, 'receive', 10, 'r', 'opening', now())", (SKU,)
        )
    read_everything(settings)
    return settings


def found(ecommerce: Ecommerce, *arguments: str) -> dict[str, list[str]]:
    """Return the doctor's violations: details by check."""
    done = ecommerce("doctor", "--json", "--wait", "0", *arguments)
    violations = done.json["violations"]
    assert done.code == int(bool(violations)), done.err
    names: dict[str, list[str]] = {}
    for violation in violations:
        names.setdefault(violation["check"], []).append(f"{violation['id']}: {violation['detail']}")
    return names


@pytest.mark.usefixtures("world")
def test_a_consistent_world_is_clean(ecommerce: Ecommerce) -> None:
    assert found(ecommerce) == {}
    shown = ecommerce("doctor")
    assert shown.code == 0
    assert "every invariant holds" in shown.out


def test_a_view_that_differs_is_named(ecommerce: Ecommerce, world: Settings) -> None:
    with psycopg.connect(world.postgres_dsn, autocommit=True) as database:
        database.execute("UPDATE stock_levels SET reserved = 3")
        database.execute("DELETE FROM stock_movements")
        database.execute("UPDATE products SET price = 149")
    assert found(ecommerce) == {
        "view_stock": [f"{SKU}: stock_levels shows reserved 3, not 0; movements 0, not 1"],
        "view_products": [f"{SKU}: products shows price 149, not 150"],
    }
    told = ecommerce("doctor", "--wait", "0").out
    assert "view_stock is mended by `ecommerce views rebuild stock_levels --yes`" in told
    assert "view_products is mended by `ecommerce views rebuild products --yes`" in told


@pytest.mark.usefixtures("world")
def test_a_table_that_does_not_add_up_is_named(
    ecommerce: Ecommerce, produce: Callable[[str, bytes | None], None]
) -> None:
    produce(STOCK.changelog.name, STOCK.encode(msgspec.structs.replace(STATE, on_hand=9, reserved=11)))
    names = found(ecommerce)
    assert set(names) == {"stock_levels", "stock_movements", "view_stock"}
    assert f"{SKU}: on_hand 9 is not received 10 - 0 committed" in names["stock_levels"]


@pytest.mark.usefixtures("world")
def test_unread_records_are_named(ecommerce: Ecommerce, produce: Callable[[str, bytes | None], None]) -> None:
    produce(PRODUCT_CREATE.name, b"poison")
    assert any(
        detail.startswith(f"ecommerce.streams {PRODUCT_CREATE.name}/") for detail in found(ecommerce)["lag"]
    )


@pytest.mark.usefixtures("world")
def test_a_view_that_does_not_answer_is_said_in_one_line(
    ecommerce: Ecommerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECOMMERCE_POSTGRES", "postgresql://nobody@127.0.0.1:1/none")
    done = ecommerce("doctor", "--wait", "0")
    assert done.code == 1
    assert done.err.strip().splitlines()[-1].startswith("error: PostgreSQL views: ")
