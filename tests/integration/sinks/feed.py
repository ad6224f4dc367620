"""A topic of a test's own, what is published to it, and connectors that bring it to a target."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from prometheus_client import REGISTRY

from connectors.runtime.connector import SinkConnector
from connectors.runtime.dead_letters import TOPIC as LETTERS
from connectors.runtime.dead_letters import DeadLetterTopic
from connectors.runtime.projection import RawProjection
from connectors.runtime.sink import Entry, Refusal, Sink
from connectors.runtime.sizing import Limits
from deploy.records.position import Beginning
from deploy.records.reader import Reader
from sinks.verify.spans import behind, committed, spans
from tests.eventually import eventually_async
from tests.integration.sinks.targets import Target
from tests.unit.sinks.messages import uid
from topics.connection import librdkafka_options
from topics.producer import MessageProducer
from topics.settings import Settings
from topics.topic import RawTopic

PARTITIONS = 2


class Feed:
    """A target's topic; `name` is the topic's, the consumer group's and the sink's."""

    def __init__(self, settings: Settings, producer: MessageProducer, target: Target, name: str) -> None:
        self.name = name
        self._settings = settings
        self._producer = producer
        self._target = target
        self._topic = RawTopic(name)

    def keys(self, count: int, first: int = 0) -> list[str]:
        """Return keys that no other test uses."""
        return [uid(f"{self.name}-{number}") for number in range(first, first + count)]

    async def publish(self, keys: Sequence[str], *versions: int) -> None:
        """Publish the versions of all keys, one after the other."""
        await self.publish_values(
            [(key, self._target.value(key, version)) for version in versions for key in keys]
        )

    async def publish_values(self, values: Sequence[tuple[str, bytes]]) -> None:
        """Publish records as they are."""
        sent = [await self._producer.send_raw(self._topic, key.encode(), value) for key, value in values]
        await asyncio.gather(*sent)

    def connector(
        self, sink: Sink[Any] | None = None, group: str | None = None, limits: Limits | None = None
    ) -> "Watched":
        """Return a member of the feed's group, or of another."""
        group = group or self.name
        return Watched(
            self.name,
            [RawProjection(self._topic, self._target.rows, ("view",))],
            sink or self._target.sink(),
            DeadLetterTopic(self._producer, self.name, group),
            self._settings,
            group=group,
            limits=limits,
        )

    async def committed(self) -> Mapping[TopicPartition, int]:
        """Return what the group has committed."""
        return await committed(self._settings, self.name)

    async def caught_up(self, group: str | None = None) -> None:
        """Wait until the group has committed all that is in the topic."""
        there = await spans(self._settings, [self.name])
        await eventually_async(
            lambda: committed(self._settings, group or self.name), lambda has: not behind(there, has)
        )

    async def letters(self) -> list[Mapping[str, str]]:
        """Return the headers of the dead letters of the topic's records."""
        return await asyncio.to_thread(self._letters)

    def _letters(self) -> list[Mapping[str, str]]:
        with Reader(self._settings) as reader:
            found = list(reader.read(reader.spans([LETTERS.name], Beginning())))
        headers = ({name: (value or b"").decode() for name, value in each.headers} for each in found)
        return [each for each in headers if each.get("source_topic") == self.name]

    async def metric(self, name: str, **labels: str) -> float | None:
        """Return a figure of the sink's."""
        return REGISTRY.get_sample_value(f"ecommerce_sink_{name}", {"sink": self.name, **labels})

    async def lag(self) -> float | None:
        """Return how many records are not written, None where not every partition's are told."""
        each = [
            await self.metric("lag_records", topic=self.name, partition=str(partition))
            for partition in range(PARTITIONS)
        ]
        return None if None in each else sum(behind for behind in each if behind)


class Watched(SinkConnector[Any]):
    """A connector that tells when a rebalance asks it to let go."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.asked = asyncio.Event()

    async def yielded(self, partitions: Any, *, lost: bool) -> None:
        self.asked.set()
        await super().yielded(partitions, lost=lost)


class Through:
    """A sink that counts what its target has taken, and ends no write before it is let."""

    def __init__(self, sink: Sink[Any], *, let: bool = True) -> None:
        self._sink = sink
        self.began, self.let = asyncio.Event(), asyncio.Event()
        self.taken: Counter[tuple[int, int]] = Counter()
        if let:
            self.let.set()

    async def write(self, batch: Sequence[Entry[Any]]) -> Sequence[Refusal]:
        self.began.set()
        await self.let.wait()
        refusals = await self._sink.write(batch)
        self.taken.update((entry.record.partition, entry.record.offset) for entry in batch)
        return refusals

    async def close(self) -> None:
        await self._sink.close()

    def upto(self) -> dict[int, int]:
        """Return by partition the offset behind the last record that was taken."""
        return {partition: offset + 1 for partition, offset in sorted(self.taken)}


class Dying(Through):
    """A sink that takes its batch, and dies before the runtime can commit."""

    async def write(self, batch: Sequence[Entry[Any]]) -> Sequence[Refusal]:
        await super().write(batch)
        raise RuntimeError("killed between flush and commit")


@asynccontextmanager
async def feeding(settings: Settings, target: Target, name: str) -> AsyncIterator[Feed]:
    """Make the topic and a producer to it."""
    admin = AdminClient(librdkafka_options(settings))
    await asyncio.wrap_future(admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name])
    async with MessageProducer(settings, "test") as producer:
        yield Feed(settings, producer, target, name)
