"""Records and batches as the connector runtime makes them."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from connectors.runtime.projection import AnyProjection
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry
from schemas.envelope import Message
from tests.unit.sinks.messages import NOW
from topics.topic import Topic
from topics.wire import encode

D = TypeVar("D", bound=msgspec.Struct)
R = TypeVar("R")


def record(topic: Topic[D], message: Message[D], offset: int = 0, partition: int = 0) -> Record:
    return Record(
        topic=topic.name,
        partition=partition,
        offset=offset,
        timestamp=NOW,
        key=message.aggregate_id.encode(),
        value=encode(topic, message),
    )


def batch(projections: Sequence[AnyProjection[R]], records: Iterable[Record]) -> list[Entry[R]]:
    by_topic = {each.topic.name: each for each in projections}
    return [Entry(each, by_topic[each.topic].rows(each)) for each in records if each.topic in by_topic]
