"""Filling topics ahead of a measurement, and reading afterwards, from the broker's own clock, how it went."""

import time
from collections.abc import Callable, Iterable, Iterator

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from topics.admin_client import client
from topics.connection import librdkafka_options
from topics.consumers import reader
from topics.offsets import await_leaders, end_offsets
from topics.settings import Settings

TIMEOUT_S = 60.0

Parcel = tuple[str, bytes, bytes]
"""Topic, key and value of a record that is ready to be sent."""


def create(settings: Settings, names: Iterable[str]) -> None:
    """Create a benchmark's own topics."""
    new = [NewTopic(name, num_partitions=settings.partitions, replication_factor=1) for name in names]
    for future in client(settings).create_topics(new, request_timeout=TIMEOUT_S).values():
        future.result()


def stamp_on_arrival(settings: Settings, names: Iterable[str]) -> None:
    """Let the broker's clock say when the records of these topics came."""
    entry = ConfigEntry(
        "message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET
    )
    wanted = [ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry]) for name in names]
    for future in client(settings).incremental_alter_configs(wanted).values():
        future.result()


def fill(
    settings: Settings, parcels: Iterable[Parcel], partition: Callable[[bytes], int] | None = None
) -> int:
    """Send records, by murmur2 of their keys as the platform does; return how many. Raises RuntimeError.

    `partition` chooses otherwise.
    """
    failed: list[str] = []
    producer = Producer(
        {
            **librdkafka_options(settings),
            "partitioner": "murmur2_random",
            "linger.ms": 20,
            "queue.buffering.max.messages": 1_000_000,
            "log_level": 3,
        }
    )
    count = 0
    for topic, key, value in parcels:
        producer.produce(
            topic,
            value,
            key,
            -1 if partition is None else partition(key),
            on_delivery=lambda error, _: failed.append(str(error)) if error else None,
        )
        count += 1
        if count % 1_000 == 0:
            producer.poll(0)
    if producer.flush(TIMEOUT_S) or failed:
        raise RuntimeError(f"the broker did not take everything: {failed[:1]}")
    return count


class Watch:
    """Looks at the ends of topics, from where they were when it was made; reads what came since."""

    def __init__(self, settings: Settings, names: Iterable[str]) -> None:
        self._consumer = reader(settings, "bench-watch")
        self._settings = settings
        self._places = {(name, number) for name in names for number in range(settings.partitions)}
        self._began = await_leaders(self._settings, self._places)

    def come(self) -> int:
        """Return how many records have come."""
        return sum(end_offsets(self._settings, self._places).values()) - sum(self._began.values())

    def records(self) -> Iterator[tuple[str, int, bytes, bytes]]:
        """Yield topic, arrival (ms), key and value of what has come."""
        ends = end_offsets(self._settings, self._places)
        left = sum(ends.values()) - sum(self._began.values())
        self._consumer.assign([TopicPartition(*place, offset) for place, offset in self._began.items()])
        deadline = time.monotonic() + TIMEOUT_S
        while left > 0:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{left} records could not be read back")
            for record in self._consumer.consume(5_000, 0.5):
                if record.error() is not None:
                    continue
                left -= 1
                topic, key, value = record.topic(), record.key(), record.value()
                yield str(topic), record.timestamp()[1], _bytes(key), _bytes(value)
        self._consumer.unassign()

    def close(self) -> None:
        """Leave."""
        self._consumer.close()


def _bytes(part: str | bytes | None) -> bytes:
    return part if isinstance(part, bytes) else (part or "").encode()
