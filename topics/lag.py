"""How far consumer groups are behind, in records and in seconds."""

import time
from dataclasses import dataclass

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from topics.admin import client
from topics.offsets import TIMEOUT_S, Place, end_offsets, first_offsets
from topics.registry import DEAD_LETTERS, SERVICE_PING, SERVICE_PONG, TOPICS
from topics.settings import Settings

FIRST_RECORD_TIMEOUT_S = 2.0

# Dead letters are read too: the sinks show them.
_OWED = (TOPICS.keys() - {SERVICE_PING.name, SERVICE_PONG.name}) | {t.name for t in DEAD_LETTERS.values()}


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


def groups(settings: Settings, prefix: str = "ecommerce.", timeout_s: float = TIMEOUT_S) -> list[str]:
    """Return the platform's consumer groups that the broker knows."""
    admin = client(settings)
    found = admin.list_consumer_groups(request_timeout=timeout_s).result()
    return sorted(group.group_id for group in found.valid if group.group_id.startswith(prefix))


def lag(
    settings: Settings, names: list[str] | None = None, *, seconds: bool = True, timeout_s: float = TIMEOUT_S
) -> list[PartitionLag]:
    """Return every partition's lag, for the given groups or all of the platform's.

    Raises confluent_kafka.KafkaException where the broker does not answer one of its requests in `timeout_s`.

    A partition that a member holds but never committed counts from its first record. Health topics are left
    out: nobody owes them an answer later. With `seconds=False` the age of the oldest uncommitted record is
    not looked up (always 0).
    """
    admin = client(settings)
    wanted = groups(settings, timeout_s=timeout_s) if names is None else names
    committed = _committed(admin, wanted, timeout_s)
    unstarted = {
        (group, place) for group, place in _held(admin, wanted, timeout_s) if (group, place) not in committed
    }
    first = first_offsets(admin, {place for _, place in unstarted}, timeout_s)
    committed |= {(group, place): first[place] for group, place in unstarted}
    ends = end_offsets(admin, {place for _, place in committed}, timeout_s)
    behind = {(*place, offset) for (_, place), offset in committed.items() if offset < ends[place]}
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
        for (group, (topic, partition)), offset in sorted(committed.items())
    ]


def _counts(topic: str) -> bool:
    return topic in _OWED


def _committed(admin: AdminClient, names: list[str], timeout_s: float) -> dict[tuple[str, Place], int]:
    """Return the committed offsets of the groups."""
    found: dict[tuple[str, Place], int] = {}
    for group in names:
        asked = admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group)], request_timeout=timeout_s
        )
        (future,) = asked.values()
        for tp in future.result().topic_partitions:
            if _counts(tp.topic) and tp.offset >= 0:
                found[group, (tp.topic, tp.partition)] = tp.offset
    return found


def _held(admin: AdminClient, names: list[str], timeout_s: float) -> set[tuple[str, Place]]:
    """Return the partitions that the groups' members hold."""
    if not names:
        return set()
    answers = admin.describe_consumer_groups(names, request_timeout=timeout_s)
    return {
        (group, (tp.topic, tp.partition))
        for group, future in answers.items()
        for member in future.result().members
        for tp in (member.assignment.topic_partitions if member.assignment else ())
        if _counts(tp.topic)
    }


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
    # Groups stand at different offsets of one partition: they are looked up one after the other.
    wanted: dict[Place, list[int]] = {}
    for topic, partition, offset in sorted(at, reverse=True):
        wanted.setdefault((topic, partition), []).append(offset)
    now, deadline = time.time(), time.monotonic() + FIRST_RECORD_TIMEOUT_S
    try:
        reader.assign([TopicPartition(*place, offsets[-1]) for place, offsets in wanted.items()])
        while wanted and time.monotonic() < deadline:
            record = reader.poll(0.2)
            if record is None or record.error():
                continue
            place = (record.topic() or "", record.partition() or 0)
            if place not in wanted or (record.offset() or 0) < wanted[place][-1]:
                continue
            _, stamp = record.timestamp()
            ages[*place, wanted[place].pop()] = max(0.0, now - stamp / 1000)
            if wanted[place]:
                reader.seek(TopicPartition(*place, wanted[place][-1]))
            else:
                del wanted[place]
                reader.incremental_unassign([TopicPartition(*place)])
    finally:
        reader.close()
    return ages
