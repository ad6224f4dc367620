"""Replaying recorded records through the dataflow in memory, to see what the flows would emit."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from deploy.records.record import Record
from schemas.codec import UndecodableError, decode_fields
from streams.kernel.driver import Driver
from streams.kernel.flow import Flow
from streams.kernel.memory import MemoryRecord
from topics.registry import CHANGELOGS, DEAD_LETTERS, TOPICS
from topics.topic import Kind


def is_input(record: Record, flows: Sequence[Flow[Any]]) -> bool:
    """Tell whether a record came into the dataflow from outside, so that the flows do not make it themselves.

    Timers, changelogs and dead letters are the kernel's own; a message that has a cause and whose topic a
    flow emits was emitted. What cannot be decoded came from outside.
    """
    if record.topic in {topic.name for topic in (*CHANGELOGS.values(), *DEAD_LETTERS.values())}:
        return False
    topic = TOPICS.get(record.topic)
    if topic is not None and topic.kind is Kind.TIMER:
        return False
    if not any(out.name == record.topic for flow in flows for route in flow.routes for out in route.emits):
        return True
    try:
        return record.value is None or decode_fields(record.value)["causation_id"] is None
    except UndecodableError:
        return True


async def emitted(
    flows: Sequence[Flow[Any]],
    records: Iterable[Record],
    partitions: int,
    take: Callable[[Record], None],
) -> int:
    """Feed the records to the flows and give everything they emit to `take`; return how many were fed.

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
    return fed


def _give(driver: Driver, seen: int, take: Callable[[Record], None]) -> int:
    for one in driver.log.arrived[seen:]:
        take(_record(one))
    return len(driver.log.arrived)


def _record(one: MemoryRecord) -> Record:
    headers = tuple((name, value) for name, value in one.headers)
    return Record(one.topic, one.partition, one.offset, one.timestamp, one.key, one.value, headers)
