"""How far consumer groups are behind, in records and in seconds."""

import time
from dataclasses import dataclass

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from topics.admin import TIMEOUT_S, client
from topics.registry import SERVICE_PING, SERVICE_PONG, TOPICS
from topics.settings import Settings

FIRST_RECORD_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class PartitionLag:
    """One group's position in one partition.

    `lag` is in records; `seconds` is the age of the oldest record not yet committed, 0 where there is none.
    """

    group: str
    topic: str
    partition: int
    committed: int
    end: int
    lag: int
    seconds: float


def groups(settings: Settings, prefix: str = "ecommerce.") -> list[str]:
    """Return the platform's consumer groups that the broker knows."""
    admin = client(settings)  # held: a client that is collected cancels its requests
    found = admin.list_consumer_groups(request_timeout=TIMEOUT_S).result()
    return sorted(group.group_id for group in found.valid if group.group_id.startswith(prefix))


def lag(settings: Settings, names: list[str] | None = None, *, seconds: bool = True) -> list[PartitionLag]:
    """Return every partition's lag, for the given groups or all of the platform's.

    Health topics are left out: nobody owes them an answer later. With `seconds=False` the age of the oldest
    uncommitted record is not looked up (always 0).
    """
    admin = client(settings)
    committed: dict[tuple[str, str, int], int] = {}
    for group in groups(settings) if names is None else names:
        (future,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
        for tp in future.result().topic_partitions:
            if (
                tp.topic in TOPICS
                and tp.topic not in (SERVICE_PING.name, SERVICE_PONG.name)
                and tp.offset >= 0
            ):
                committed[group, tp.topic, tp.partition] = tp.offset
    ends = end_offsets(admin, {(topic, partition) for _, topic, partition in committed})
    behind = {
        (topic, partition, offset)
        for (_, topic, partition), offset in committed.items()
        if offset < ends[topic, partition]
    }
    ages = _ages(settings, behind) if seconds else {}
    return [
        PartitionLag(
            group=group,
            topic=topic,
            partition=partition,
            committed=offset,
            end=ends[topic, partition],
            lag=max(0, ends[topic, partition] - offset),
            seconds=ages.get((topic, partition, offset), 0.0),
        )
        for (group, topic, partition), offset in sorted(committed.items())
    ]


def end_offsets(admin: AdminClient, partitions: set[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Return the offset after the last record of each (topic, partition)."""
    if not partitions:
        return {}
    wanted = {
        TopicPartition(topic, partition): OffsetSpec.latest()  # type: ignore[no-untyped-call] # untyped upstream
        for topic, partition in partitions
    }
    answers = admin.list_offsets(wanted, request_timeout=TIMEOUT_S)
    return {(tp.topic, tp.partition): future.result().offset for tp, future in answers.items()}


def _ages(settings: Settings, at: set[tuple[str, int, int]]) -> dict[tuple[str, int, int], float]:
    """Return the age in seconds of the record at each (topic, partition, offset)."""
    if not at:
        return {}
    reader = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "group.id": "ecommerce-lag",
            "enable.auto.commit": False,
            "fetch.max.bytes": 1_000_000,
        }
    )
    ages: dict[tuple[str, int, int], float] = {}
    wanted = {(topic, partition): offset for topic, partition, offset in at}
    deadline = time.monotonic() + FIRST_RECORD_TIMEOUT_S
    try:
        reader.assign([TopicPartition(*place) for place in at])
        while wanted and time.monotonic() < deadline:
            record = reader.poll(0.2)
            if record is None or record.error():
                continue
            place = (record.topic(), record.partition())
            if place in wanted:
                _, stamp = record.timestamp()
                ages[*place, wanted.pop(place)] = max(0.0, time.time() - stamp / 1000)
                reader.incremental_unassign([TopicPartition(*place)])
    finally:
        reader.close()
    return ages
