"""Telling a consumer to leave a record that stops its partition."""

import time
from collections.abc import Sequence

import msgspec

from deploy.errors import CommandError
from deploy.records.position import Beginning
from deploy.records.reader import Reader
from deploy.records.sender import Sender
from deploy.topology.component import Component, Role
from topics.lag import lag
from topics.registry import SKIPS
from topics.settings import Settings
from topics.skips import Skip

_FORM = "a record's place is TOPIC/PARTITION/OFFSET, or of a flow TOPIC/PARTITION for the one that is next"


def place_of(text: str) -> tuple[str, int, int | None]:
    """Return topic, partition and offset (None where none is given). Raises CommandError."""
    topic, *numbers = text.split("/")
    if not topic or not 1 <= len(numbers) <= 2 or not all(each.isdecimal() for each in numbers):  # noqa: PLR2004
        raise CommandError(f"{text}: {_FORM}", 2)
    partition, *offset = map(int, numbers)
    return topic, partition, offset[0] if offset else None


def consumer_of(readers: Sequence[Component], topic: str, name: str | None) -> Component:
    """Return the consumer of a topic: by its name, or the only one. Raises CommandError naming them."""
    reading = [each for each in readers if each.group and topic in each.consumes]
    names = ", ".join(each.name for each in reading) or "nobody"
    if name is None and len(reading) == 1:
        return reading[0]
    found = next((each for each in reading if each.name == name), None)
    if found is None:
        asked = f"{name} does not read {topic}" if name else f"{topic} has several readers"
        raise CommandError(f"{asked}: --consumer is one of {names}", 2)
    return found


def skip(settings: Settings, place: str, consumer: Component, by: str, note: str) -> Skip:
    """Have the consumer leave a record, whether it runs or not; return what was written.

    Raises CommandError where there is no such record, or the consumer is past it already. Also where no
    offset is given of one that works on several records at once: it may stand before others than that record.
    """
    topic, partition, offset = place_of(place)
    if offset is None and consumer.role is not Role.FLOW:
        raise CommandError(
            f"{place}: {consumer.name} works on several records at once: name the offset at which it ends, "
            f"{place}/OFFSET, which its log tells",
            2,
        )
    with Reader(settings) as reader:
        spans = {span.partition: span for span in reader.spans([topic], Beginning())}
    span = spans.get(partition)
    if span is None:
        raise CommandError(f"{place}: {topic} has partitions 0 to {len(spans) - 1}", 2)
    stands = next(
        (
            each.committed
            for each in lag(settings, [str(consumer.group)], seconds=False)
            if (each.topic, each.partition) == (topic, partition)
        ),
        span.start,
    )
    offset = stands if offset is None else offset
    if not span.start <= offset < span.end:
        raise CommandError(f"{place}: the partition holds offsets {span.start} to {span.end - 1}", 2)
    if offset < stands:
        raise CommandError(f"{place}: {consumer.name} is past it, at {stands}", 2)
    made = Skip(consumer.name, topic, partition, offset, by, note, time.time_ns() // 1_000_000)
    with Sender(settings) as sender:
        sender.send(SKIPS.name, made.key, msgspec.json.encode(made))
    return made
