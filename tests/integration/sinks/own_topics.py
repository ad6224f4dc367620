"""Views fed from topics of a test's own, which hold nothing but what the test has sent."""

import asyncio
import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewTopic

from connectors.runtime.connector import SinkConnector
from connectors.runtime.dead_letters import DeadLetterTopic
from connectors.runtime.projection import AnyProjection, RawProjection
from connectors.runtime.sink import Sink
from sinks.views import Choice, choose
from tests.integration.sinks.views import Event
from topics import registry as t
from topics.admin_client import client
from topics.producer import MessageProducer
from topics.settings import Settings
from topics.topic import RawTopic, Topic
from topics.wire import encode

FEW = (
    t.PRODUCT_CREATED,
    t.PRODUCT_UPDATED,
    t.INVENTORY_UPDATED,
    t.ORDER_PLACED,
    t.ORDER_CONFIRMED,
    t.PAYMENT_CAPTURED,
    t.CART_UPDATED,
)


class OwnTopics:
    """Copies of some topics under names of a test's own."""

    def __init__(self, settings: Settings, producer: MessageProducer, name: str) -> None:
        self._settings = settings
        self._producer = producer
        self._name = name

    async def create(self) -> None:
        new = [NewTopic(self.of(topic).name, num_partitions=2, replication_factor=1) for topic in FEW]
        made = client(self._settings).create_topics(new)
        await asyncio.gather(*(asyncio.wrap_future(each) for each in made.values()))

    async def delete(self) -> None:
        gone = client(self._settings).delete_topics([self.of(topic).name for topic in FEW])
        await asyncio.gather(*(asyncio.wrap_future(each) for each in gone.values()))

    def of(self, topic: Topic[Any]) -> RawTopic:
        return RawTopic(f"{self._name}.{topic.name}")

    def choice(self, name: str) -> Choice:
        """Return the views of that name, fed from these topics."""
        chosen = choose(name)
        own = [self._own(each) for each in chosen.projections if each.topic in FEW]
        return dataclasses.replace(
            chosen, group=f"ecommerce.test.{self._name}.{chosen.server}", projections=own
        )

    def connector(self, chosen: Choice, sink: Sink[Any]) -> SinkConnector[Any]:
        """Return what feeds the views."""
        letters = DeadLetterTopic(self._producer, chosen.server, chosen.group)
        return SinkConnector(
            chosen.server, chosen.projections, sink, letters, self._settings, group=chosen.group
        )

    async def publish(self, events: Iterable[Event]) -> None:
        sent = [
            await self._producer.send_raw(
                self.of(topic), message.aggregate_id.encode(), encode(topic, message)
            )
            for topic, message in events
        ]
        await asyncio.gather(*sent)

    async def send_raw(self, topic: Topic[Any], key: bytes, value: bytes) -> None:
        await (await self._producer.send_raw(self.of(topic), key, value))

    async def remove_beginnings(self, topics: Sequence[Topic[Any]]) -> None:
        """Let retention have removed all that these topics hold."""
        places = [
            TopicPartition(self.of(topic).name, partition, -1) for topic in topics for partition in (0, 1)
        ]
        removed = client(self._settings).delete_records(places)
        await asyncio.gather(*(asyncio.wrap_future(each) for each in removed.values()))

    def _own(self, projection: AnyProjection[Any]) -> RawProjection[Any]:
        return RawProjection(
            RawTopic(f"{self._name}.{projection.topic.name}"), projection.rows, tuple(projection.into)
        )
