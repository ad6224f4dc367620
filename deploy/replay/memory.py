"""Replaying recorded records through the dataflow in memory, to see what the flows would emit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.records.record import Record
from schemas.codec import UndecodableError, decode_fields
from streams.kernel.driver import Driver
from streams.kernel.flow import Flow
from streams.kernel.memory import MemoryRecord
from topics.registry import CHANGELOGS, DEAD_LETTERS, REDRIVES, SCHEMAS, TOPICS
from topics.topic import Kind

_KEPT_ASIDE = {topic.name for topic in (*CHANGELOGS.values(), *DEAD_LETTERS.values(), REDRIVES, SCHEMAS)}


def inputs(records: Iterable[Record], flows: Sequence[Flow[Any]]) -> Iterator[Record]:
    """Yield the records that the flows will not make themselves.

    Left out are timers, which the virtual clock fires, and what a flow emitted because of a record that is
    part of the replay. So a recording of all topics gives its commands, and one of a single topic gives all
    of it. What cannot be decoded came from outside.
    """
    emitted_topics = {out.name for flow in flows for route in flow.routes for out in route.emits}
    replayed: set[str] = set()
    for record in records:
        if record.topic in _KEPT_ASIDE:
            continue
        event_id, cause = _identity(record)
        if event_id is not None:
            replayed.add(event_id)
        topic = TOPICS.get(record.topic)
        is_timer = topic is not None and topic.kind is Kind.TIMER
        if not is_timer and not (record.topic in emitted_topics and cause in replayed):
            yield record


@dataclass(frozen=True)
class Replayed:
    """A replay that is over: how many records were fed, and the driver as it stands, if there were any."""

    fed: int
    driver: Driver | None


async def emitted(
    flows: Sequence[Flow[Any]],
    records: Iterable[Record],
    partitions: int,
    take: Callable[[Record], None],
) -> Replayed:
    """Feed the records to the flows and give everything they emit to `take`.

    The virtual clock follows the records' timestamps, so timers fire in between as they did.
    """
    fed = 0
    driver: Driver | None = None
    seen = 0
    for record in records:
        if driver is None:
            driver = Driver(*flows, partitions=partitions, now=record.timestamp)
            await driver.restart()
        await driver.advance(max(0, record.timestamp - driver.now))
        seen = _give(driver, seen, take)
        headers = tuple((name, value or b"") for name, value in record.headers)
        await driver.send_raw(record.topic, record.key, record.value, headers=headers)
        fed += 1
        seen = _give(driver, seen + 1, take)
    return Replayed(fed, driver)


def _identity(record: Record) -> tuple[str | None, str | None]:
    """Return a message's own id and its cause's, as far as it has them."""
    if record.value is None:
        return None, None
    try:
        fields = decode_fields(record.value)
    except UndecodableError:
        return None, None
    return fields["event_id"], fields["causation_id"]


def _give(driver: Driver, seen: int, take: Callable[[Record], None]) -> int:
    for one in driver.log.arrived[seen:]:
        take(_record(one))
    return len(driver.log.arrived)


def _record(one: MemoryRecord) -> Record:
    headers = tuple((name, value) for name, value in one.headers)
    return Record(one.topic, one.partition, one.offset, one.timestamp, one.key, one.value, headers)
