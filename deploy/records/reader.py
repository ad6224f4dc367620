"""Reading stretches of topics as bytes, outside any consumer group: nothing is committed.

Each reading has a consumer of its own. One that is assigned partitions a second time can stay silent about
those that it had paused, for ever (librdkafka issue 5591): every second reading did.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from types import TracebackType
from typing import Self, TypeVar

import stamina
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from deploy.errors import CommandError
from deploy.records.merge import Merge, Place
from deploy.records.position import AtTime, End, Position
from deploy.records.record import Record
from deploy.records.span import Span, offset_of
from topics.consumers import reader
from topics.header_values import headers_of
from topics.settings import Settings

_BATCH = 1_000
_HELD = 5_000  # records held of one partition while others are behind in time
_CALL_SECONDS = 10.0
_SILENCE_SECONDS = 30.0
_PASSING = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.REQUEST_TIMED_OUT,
    }
)

T = TypeVar("T")


class Reader:
    """Reads topics of one broker. Raises CommandError where the broker or a topic is not there."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bootstrap = settings.kafka_bootstrap
        self._refusal = ""
        self._asking = self._consumer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asking.close()

    def topics(self) -> dict[str, int]:
        """Return the broker's topics and their partition counts."""
        metadata = self._ask(lambda: self._asking.list_topics(timeout=_CALL_SECONDS))
        return {name: len(topic.partitions) for name, topic in metadata.topics.items()}

    def spans(self, topics: Sequence[str], start: Position, end: Position | None = None) -> list[Span]:
        """Return each partition's stretch between two positions; the end is the present one by default."""
        known = self.topics()
        if missing := [topic for topic in topics if topic not in known]:
            raise CommandError(f"{', '.join(missing)}: no such topic (`ecommerce topics create` makes them)")
        places = [(topic, partition) for topic in topics for partition in range(known[topic])]
        starts, ends = self._times(places, start), self._times(places, end or End())
        spans = []
        for place in places:
            low, high = self._watermarks(place)
            first = offset_of(start, low, high, starts.get(place))
            last = offset_of(end or End(), low, high, ends.get(place))
            spans.append(Span(*place, first, max(first, last)))
        return spans

    def read(self, spans: Sequence[Span]) -> Iterator[Record]:
        """Yield the spans' records, each partition in its order, partitions as they arrive."""
        with closing(self._consumer()) as consumer:
            open_spans = _assign(consumer, spans)
            while open_spans:
                for message in self._consume(consumer):
                    record, place = _record(message, open_spans)
                    if record is not None:
                        yield record
                    if place in open_spans and _finished(message, open_spans[place]):
                        _close(consumer, open_spans, place)

    def read_in_time_order(self, spans: Sequence[Span]) -> Iterator[Record]:
        """Yield the spans' records merged by timestamp, a bounded number of each partition held at once."""
        with closing(self._consumer()) as consumer:
            open_spans = _assign(consumer, spans)
            merge = Merge(open_spans)
            paused: set[Place] = set()
            while not merge.done:
                while (ready := merge.pop()) is not None:
                    yield ready
                    place = (ready.topic, ready.partition)
                    if place in paused and merge.held(place) < _HELD // 2:
                        consumer.resume([TopicPartition(*place)])
                        paused.discard(place)
                for message in self._consume(consumer) if open_spans else ():
                    record, place = _record(message, open_spans)
                    if record is not None:
                        merge.add(record)
                        if merge.held(place) > _HELD and place not in paused:
                            consumer.pause([TopicPartition(*place)])
                            paused.add(place)
                    if place in open_spans and _finished(message, open_spans[place]):
                        _close(consumer, open_spans, place)
                        merge.close(place)
                        paused.discard(place)

    def follow(self, spans: Sequence[Span]) -> Iterator[Record]:
        """Yield the records from each span's start on, for ever."""
        with closing(self._consumer()) as consumer:
            consumer.assign([TopicPartition(span.topic, span.partition, span.start) for span in spans])
            while True:
                for message in consumer.consume(_BATCH, timeout=0.2):
                    if message.error() is None:
                        yield _as_record(message)

    def _consumer(self) -> Consumer:
        return reader(self._settings, "records", on_error=self._note, ends=True)

    def _consume(self, consumer: Consumer) -> list[Message]:
        """Return the next messages; raises where the broker stays silent though records must come."""
        deadline = time.monotonic() + _SILENCE_SECONDS
        while time.monotonic() < deadline:
            if messages := consumer.consume(_BATCH, timeout=0.5):
                return messages
        raise CommandError(f"Kafka at {self._bootstrap} sent nothing for {_SILENCE_SECONDS:.0f} s")

    def _times(self, places: list[Place], position: Position) -> dict[Place, int]:
        if not isinstance(position, AtTime):
            return {}
        asked = [TopicPartition(*place, position.timestamp) for place in places]
        found = self._ask(lambda: self._asking.offsets_for_times(asked, timeout=_CALL_SECONDS))
        return {(one.topic, one.partition): one.offset for one in found if one.offset >= 0}

    def _watermarks(self, place: Place) -> tuple[int, int]:
        partition = TopicPartition(*place)
        answer = self._ask(lambda: self._asking.get_watermark_offsets(partition, timeout=_CALL_SECONDS))
        if answer is None:
            raise CommandError(f"Kafka at {self._bootstrap} did not tell the offsets of {place[0]}")
        return answer

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            for attempt in stamina.retry_context(on=_passing, timeout=_CALL_SECONDS, attempts=None):
                with attempt:
                    return call()
        except KafkaException as error:
            reason = self._refusal or error.args[0].str()
            raise CommandError(
                f"Kafka at {self._bootstrap} does not answer: {reason} (start it with `ecommerce up`)"
            ) from error
        raise AssertionError("the last attempt returns or raises")

    def _note(self, error: KafkaError) -> None:
        self._refusal = error.str()


def _assign(consumer: Consumer, spans: Sequence[Span]) -> dict[Place, Span]:
    open_spans = {(span.topic, span.partition): span for span in spans if span.length}
    consumer.assign([TopicPartition(*place, span.start) for place, span in open_spans.items()])
    return open_spans


def _record(message: Message, open_spans: dict[Place, Span]) -> tuple[Record | None, Place]:
    place = (message.topic() or "", message.partition() or 0)
    error = message.error()
    if error is not None:
        if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 -- the client's name for it
            raise CommandError(f"{place[0]} partition {place[1]}: {error.str()}")
        return None, place
    span = open_spans.get(place)
    if span is None or (message.offset() or 0) >= span.end:
        return None, place
    return _as_record(message), place


def _finished(message: Message, span: Span) -> bool:
    # Compaction can remove the last offsets of a span: then only the partition's end tells.
    return message.error() is not None or (message.offset() or 0) >= span.end - 1


def _close(consumer: Consumer, open_spans: dict[Place, Span], place: Place) -> None:
    del open_spans[place]
    consumer.pause([TopicPartition(*place)])


def _passing(error: Exception) -> bool:
    """Tell whether the error goes by itself: partitions of new topics have no leader for a moment."""
    return isinstance(error, KafkaException) and error.args[0].code() in _PASSING


def _as_record(message: Message) -> Record:
    return Record(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=headers_of(message),
    )
