"""The registry against a real broker: created once, verified, and lag measured."""

import asyncio

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from schemas.cart import CartClear, CartRemove
from tests.eventually import eventually
from topics import admin, registry
from topics.command import command
from topics.connection import librdkafka_options
from topics.groups import groups
from topics.lag import PartitionLag, lag
from topics.producer import MessageProducer
from topics.settings import Settings


@pytest.mark.usefixtures("topics_created")
def test_creating_twice_changes_nothing(settings: Settings) -> None:
    assert admin.create(settings) == []
    assert admin.verify(settings) == []


@pytest.mark.usefixtures("topics_created")
def test_a_difference_is_named(settings: Settings) -> None:
    broker = AdminClient(librdkafka_options(settings))
    name = registry.CART_UPDATED.name

    def set_retention(value: str) -> None:
        entry = ConfigEntry("retention.ms", value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
        (future,) = broker.incremental_alter_configs([resource]).values()
        future.result()

    set_retention("1000")
    try:
        eventually(
            lambda: admin.verify(settings),
            lambda found: found == [f"{name}: retention.ms is 1000, must be -1"],
        )
    finally:
        set_retention("-1")
    more = settings.model_copy(update={"partitions": settings.partitions + 1})
    assert f"{name}: partitions is {settings.partitions}, must be {more.partitions}" in admin.verify(more)


@pytest.mark.usefixtures("topics_created")
async def test_lag_is_counted_in_records_and_seconds(settings: Settings, group_suffix: str) -> None:
    group = f"ecommerce.test.{group_suffix}"
    topic, key = registry.CART_REMOVE, f"cart-{group_suffix}"
    async with MessageProducer(settings) as producer:
        sent = [
            await producer.send_and_wait(topic, key, command(topic, key, CartRemove(line_id=str(n))))
            for n in range(5)
        ]
    first = sent[0]
    further = f"{group}.further"
    for reading, ahead in ((group, 2), (further, 4)):
        reader = Consumer({**librdkafka_options(settings), "group.id": reading})
        try:
            place = TopicPartition(topic.name, first.partition, first.offset + ahead)
            reader.commit(offsets=[place], asynchronous=False)
        finally:
            reader.close()
    assert {group, further} <= set(groups(settings))
    found, nearer = lag(settings, [group, further])
    assert (found.topic, found.partition, found.lag) == (topic.name, first.partition, 3)
    assert (nearer.group, nearer.lag) == (further, 1)
    assert 0 < nearer.seconds <= found.seconds < 300
    (quick,) = lag(settings, [group], seconds=False)
    assert quick.seconds == 0


@pytest.mark.usefixtures("topics_created")
async def test_a_held_partition_without_a_commit_lags_by_all_its_records(
    settings: Settings, group_suffix: str
) -> None:
    group = f"ecommerce.test.{group_suffix}"
    topic, key = registry.CART_CLEAR, f"cart-{group_suffix}"
    async with MessageProducer(settings) as producer:
        sent = await producer.send_and_wait(topic, key, command(topic, key, CartClear()))
    reader = Consumer({**librdkafka_options(settings), "group.id": group})
    try:
        reader.subscribe([topic.name])

        def held() -> list[PartitionLag]:
            reader.poll(0.1)
            return [each for each in lag(settings, [group]) if each.partition == sent.partition]

        (found,) = await asyncio.to_thread(eventually, held)
    finally:
        reader.close()
    assert found.lag == sent.offset + 1
