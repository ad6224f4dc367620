from collections.abc import Iterator
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from deploy.doctor.examination import unread
from deploy.records.reader import Reader
from deploy.topology.component import Component, Role, Route
from tests.integration.cli.conftest import Ecommerce
from topics.registry import INVENTORY_LOW_STOCK
from topics.settings import Settings

TOPIC = INVENTORY_LOW_STOCK.name


@pytest.fixture
def group(topics_created: str, group_suffix: str) -> Iterator[str]:
    """A group that has read all but the last two of partition 0's records."""
    name = f"ecommerce.test.{group_suffix}"
    producer = Producer({"bootstrap.servers": topics_created})
    for _ in range(3):
        producer.produce(TOPIC, b"poison", uuid4().bytes, partition=0)
    assert producer.flush(30) == 0
    consumer = Consumer({"bootstrap.servers": topics_created, "group.id": name})
    _, end = consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), timeout=30)
    consumer.commit(offsets=[TopicPartition(TOPIC, 0, end - 2)], asynchronous=False)
    yield name
    consumer.close()


def test_shows_records_and_seconds_behind(ecommerce: Ecommerce, group: str) -> None:
    found = ecommerce("lag", "--group", group, "--json").json
    assert found["records"] == 2
    assert 0 < found["seconds"] < 120
    (one,) = found["partitions"]
    assert (one["topic"], one["partition"], one["end"] - one["committed"]) == (TOPIC, 0, 2)
    assert TOPIC in ecommerce("lag", "--group", group).out


def test_says_when_nobody_has_read_anything(ecommerce: Ecommerce, topics_created: str) -> None:
    assert topics_created
    assert "no consumer group" in ecommerce("lag", "--group", f"ecommerce.{uuid4()}").out


def test_a_group_that_never_committed_has_everything_before_it(settings: Settings, group: str) -> None:
    def reading(name: str) -> list[Component]:
        return [Component("one", Role.SINK, "one", routes=(Route(TOPIC, ""),), group=name)]

    with Reader(settings) as reader:
        some = unread(settings, reader, reading(group))
        everything = unread(settings, reader, reading(f"{group}.absent"))
    assert some[f"{group} {TOPIC}/0"] == 2
    assert sum(everything.values()) >= 3
