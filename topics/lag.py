"""How far consumer groups are behind, in records and in seconds; and who stands where no record can come."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from confluent_kafka import TopicPartition

from topics.consumers import reader
from topics.groups import commits, groups, held
from topics.identity import marked, there
from topics.offsets import TIMEOUT_S, Place, end_offsets, first_offsets
from topics.registry import DEAD_LETTERS, SERVICE_PING, SERVICE_PONG, TOPICS
from topics.settings import Settings

FIRST_RECORD_TIMEOUT_S = 2.0

# Dead letters are read too: the sinks show them.
_OWED = (TOPICS.keys() - {SERVICE_PING.name, SERVICE_PONG.name}) | {t.name for t in DEAD_LETTERS.values()}


Reads = Mapping[str, Collection[str]]
"""The topics that each consumer group reads."""


class Fault(StrEnum):
    """Why a committed offset is no position in its topic. No record counts as read there."""

    MADE_ANEW = "the topic was deleted and made anew since"
    BEYOND_END = "it is beyond the topic's end"


@dataclass(frozen=True)
class PartitionLag:
    """One group's position in one partition.

    `lag` is in records; `seconds` is the age of the oldest record not yet committed, 0 where there is none.
    Where there is a `fault`, what the group committed is no position in this topic, and all of it is lag.
    """

    group: str
    topic: str
    partition: int
    committed: int
    end: int
    lag: int
    seconds: float
    fault: Fault | None = None


class Commit(NamedTuple):
    """A committed offset, and the id of the topic that it belongs to, None where that is not known."""

    offset: int
    topic_id: str | None = None

    def fault(self, end: int, topic_id: str | None) -> Fault | None:
        """Return why this is no position in a topic that has an id and an end now."""
        if topic_id is not None and self.topic_id is not None and topic_id != self.topic_id:
            return Fault.MADE_ANEW
        return Fault.BEYOND_END if self.offset > end else None


def lag(
    settings: Settings,
    names: list[str] | None = None,
    *,
    reads: Reads = MappingProxyType({}),
    seconds: bool = True,
    timeout_s: float = TIMEOUT_S,
) -> list[PartitionLag]:
    """Return every partition's lag, for the given groups or all of the platform's.

    `reads` are topics that groups are known to read: there, what a group never committed counts from the
    first record though no member holds it. The broker forgets commits together with a deleted topic.

    Raises confluent_kafka.KafkaException where the broker does not answer one of its requests in `timeout_s`.

    A partition that a member holds but never committed counts from its first record. Health topics are left
    out: nobody owes them an answer later. With `seconds=False` the age of the oldest uncommitted record is
    not looked up (always 0).
    """
    wanted = sorted({*groups(settings, timeout_s=timeout_s), *reads}) if names is None else names
    committed = {
        (group, place): Commit(each.offset, marked(each.text))
        for (group, place), each in commits(settings, wanted, timeout_s).items()
        if _counts(place[0])
    }
    owned = {(group, place) for group, place in held(settings, wanted, timeout_s) if _counts(place[0])}
    owed = {(group, topic) for group in wanted for topic in reads.get(group, ()) if _counts(topic)}
    named = {topic for _, (topic, _) in (*committed, *owned)} | {topic for _, topic in owed}
    topics = there(settings, named, timeout_s)
    owned |= {
        (group, (topic, each.id))
        for group, topic in owed
        if topic in topics
        for each in topics[topic].partitions
    }
    # Of a topic that was deleted and is not there, nothing can be read.
    ids = {name: str(each.topic_id) for name, each in topics.items()}
    committed = {at: commit for at, commit in committed.items() if at[1][0] in ids}
    unstarted = {at for at in owned if at not in committed and at[1][0] in ids}
    ends = end_offsets(settings, {place for _, place in (*committed, *unstarted)}, timeout_s)
    faults = {
        at: fault
        for at, commit in committed.items()
        if (fault := commit.fault(ends[at[1]], ids[at[1][0]])) is not None
    }
    first = first_offsets(settings, {place for _, place in (*unstarted, *faults)}, timeout_s)
    reads_from = {at: commit.offset for at, commit in committed.items()}
    reads_from |= {at: first[at[1]] for at in (*unstarted, *faults)}
    behind = {(*place, offset) for (_, place), offset in reads_from.items() if offset < ends[place]}
    ages = _ages(settings, behind) if seconds else {}
    return [
        PartitionLag(
            group=group,
            topic=place[0],
            partition=place[1],
            committed=committed[group, place].offset if (group, place) in committed else offset,
            end=ends[place],
            lag=max(0, ends[place] - offset),
            seconds=ages.get((*place, offset), 0.0),
            fault=faults.get((group, place)),
        )
        for (group, place), offset in sorted(reads_from.items())
    ]


def _counts(topic: str) -> bool:
    return topic in _OWED


def _ages(settings: Settings, at: set[tuple[str, int, int]]) -> dict[tuple[str, int, int], float]:
    """Return the age in seconds of the record at each (topic, partition, offset)."""
    if not at:
        return {}
    looking = reader(settings, "lag", tuning={"fetch.max.bytes": 1_000_000})
    ages: dict[tuple[str, int, int], float] = {}
    # Groups stand at different offsets of one partition: they are looked up one after the other.
    wanted: dict[Place, list[int]] = {}
    for topic, partition, offset in sorted(at, reverse=True):
        wanted.setdefault((topic, partition), []).append(offset)
    now, deadline = time.time(), time.monotonic() + FIRST_RECORD_TIMEOUT_S
    try:
        looking.assign([TopicPartition(*place, offsets[-1]) for place, offsets in wanted.items()])
        while wanted and time.monotonic() < deadline:
            record = looking.poll(0.2)
            if record is None or record.error():
                continue
            place = (record.topic() or "", record.partition() or 0)
            if place not in wanted or (record.offset() or 0) < wanted[place][-1]:
                continue
            _, stamp = record.timestamp()
            ages[*place, wanted[place].pop()] = max(0.0, now - stamp / 1000)
            if wanted[place]:
                looking.seek(TopicPartition(*place, wanted[place][-1]))
            else:
                del wanted[place]
                looking.incremental_unassign([TopicPartition(*place)])
    finally:
        looking.close()
    return ages
