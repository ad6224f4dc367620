"""Which records there are to read: what topics hold, what a group has read, what retention has removed."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from aiokafka import TopicPartition

from topics.consumers import reader_async
from topics.groups import commits
from topics.settings import Settings

Offsets = Mapping[TopicPartition, int]


class Spans(NamedTuple):
    """By partition, the offset of the first record that is left and the one after the last."""

    starts: Offsets
    ends: Offsets

    @property
    def removed(self) -> dict[TopicPartition, int]:
        """Return the partitions whose beginning retention has removed, with their first offset."""
        return {place: start for place, start in self.starts.items() if start > 0}


async def spans(settings: Settings, topics: Iterable[str]) -> Spans:
    """Return what the topics hold now.

    Raises aiokafka's errors where the broker does not answer or does not know a topic.
    """
    consumer = reader_async(settings, "spans", *topics)
    try:
        await consumer.start()
        places = list(consumer.assignment())
        return Spans(await consumer.beginning_offsets(places), await consumer.end_offsets(places))
    finally:
        await consumer.stop()


async def committed(settings: Settings, group: str) -> Offsets:
    """Return what a group has committed; nothing where the broker does not know it.

    Raises confluent_kafka.KafkaException where no broker answers.
    """
    told = await asyncio.to_thread(commits, settings, [group])
    return {TopicPartition(*place): each.offset for (_, place), each in told.items()}


def behind(spans_: Spans, has: Offsets) -> int:
    """Return how many records a group has yet to commit."""
    return sum(
        max(0, end - max(has.get(place, 0), spans_.starts[place])) for place, end in spans_.ends.items()
    )


def are_read(sources: Collection[tuple[str, int, int]], has: Offsets) -> bool:
    """Tell whether a group has committed all of these records."""
    return all(offset < has.get(TopicPartition(topic, part), 0) for topic, part, offset in sources)
