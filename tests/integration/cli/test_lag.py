from collections.abc import Iterator
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from deploy.doctor.examination import unread
from deploy.topology.component import Component, Role, Route
from tests.integration.cli.conftest import Ecommerce
from topics.connection import KafkaOptions, librdkafka_options
from topics.lag import Fault, lag
from topics.registry import INVENTORY_LOW_STOCK
from topics.settings import Settings

TOPIC = INVENTORY_LOW_STOCK.name


@pytest.fixture
def group(topics_created: KafkaOptions, group_suffix: str) -> Iterator[str]:
    """A group that has read all but the last two of partition 0's records."""
    name = f"ecommerce.test.{group_suffix}"
    producer = Producer(topics_created)
    for _ in range(3):
        producer.produce(TOPIC, b"poison", uuid4().bytes, partition=0)
    assert producer.flush(30) == 0
    consumer = Consumer({**topics_created, "group.id": name})
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


def test_says_when_nobody_has_read_anything(ecommerce: Ecommerce, topics_created: KafkaOptions) -> None:
    assert topics_created
    assert "no consumer group" in ecommerce("lag", "--group", f"ecommerce.{uuid4()}").out


def test_a_group_that_never_committed_has_everything_before_it(settings: Settings, group: str) -> None:
    def reading(name: str) -> list[Component]:
        return [Component("one", Role.SINK, "one", routes=(Route(TOPIC, ""),), group=name)]

    some, _ = unread(settings, reading(group))
    everything, faults = unread(settings, reading(f"{group}.absent"))
    assert some[f"{group} {TOPIC}/0"] == 2
    assert sum(everything.values()) >= 3
    assert not faults


@pytest.mark.parametrize(
    ("committed", "fault"),
    [((1, "topic=of-another;"), Fault.MADE_ANEW), ((1_000_000, ""), Fault.BEYOND_END)],
)
def test_a_group_that_is_at_no_position_of_its_topic_is_named(
    ecommerce: Ecommerce, settings: Settings, group: str, committed: tuple[int, str], fault: Fault
) -> None:
    consumer = Consumer({**librdkafka_options(settings), "group.id": group})
    first, end = consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), timeout=30)
    consumer.commit(offsets=[TopicPartition(TOPIC, 0, *committed)], asynchronous=False)
    consumer.close()
    (one,) = lag(settings, [group])
    assert (one.fault, one.committed, one.lag) == (fault, committed[0], end - first)
    assert one.seconds > 0
    shown = ecommerce("lag", "--group", group)
    assert shown.code == 1
    assert fault in shown.err
    component = Component("one", Role.SINK, "one", routes=(Route(TOPIC, ""),), group=group)
    _, faults = unread(settings, [component])
    assert fault in faults[f"{group} {TOPIC}/0"]
