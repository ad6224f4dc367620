"""The schemas beside the records that they wrote: a compacted topic of every id that a release assigned.

Creating the topics publishes a release's schemas, before any of its processes runs. So a process of an older
release that meets a newer id, in a rolling upgrade or after it was rolled back, finds its schema where the
record came from, as long as there are such records. Nothing else has to be up for it.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from schemas.avro import Schema
from schemas.lock import Foreign, Lock, lock
from topics.connection import librdkafka_options
from topics.consumers import reader
from topics.registry import SCHEMAS
from topics.settings import Settings

_CALL_SECONDS = 10.0
_PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 0.05


class SchemaConflictError(Exception):
    """Two releases assigned the same id to different schemas: their records could not be told apart."""


class SchemaSourceError(Exception):
    """The broker did not give the schemas in time."""


class _Published(msgspec.Struct, frozen=True):
    id: int
    subject: str
    version: int
    schema: Schema


class SchemaTopic:
    """Reads the topic, from where it came to the last time; may be called by any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asking: Consumer | None = None
        self._next = 0
        self._known: dict[int, Foreign] = {}
        self._reading = threading.Lock()

    def find(self, schema_id: int) -> Foreign | None:
        """Return the schema of an id, or None where no release has published it.

        Asks the broker where the topic ends, so that a schema that was published a moment ago is found.
        Raises SchemaSourceError where it does not answer within 30 s.
        """
        with self._reading:
            if schema_id not in self._known:
                self._catch_up()
            return self._known.get(schema_id)

    def all(self) -> dict[int, Foreign]:
        """Return every published schema by its id. Raises SchemaSourceError as `find` does."""
        with self._reading:
            self._catch_up()
            return dict(self._known)

    def close(self) -> None:
        """Leave the broker."""
        if self._asking is not None:
            self._asking.close()
            self._asking = None

    def _catch_up(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self._read_on(deadline)
            except KafkaException as error:
                if time.monotonic() > deadline:
                    raise SchemaSourceError(f"{SCHEMAS.name}: {error}") from error
                time.sleep(_LOOK_SECONDS)
            else:
                return

    def _read_on(self, deadline: float) -> None:
        place = TopicPartition(SCHEMAS.name, 0, self._next)
        if self._asking is None:
            self._asking = reader(self._settings, "schema-ends")
        _, end = self._asking.get_watermark_offsets(place, timeout=_CALL_SECONDS)
        if self._next >= end:
            return
        # A consumer of its own: one that waits at the end would hold up the next question for half a second,
        # and a whole worker that long for each odd record with an unknown id.
        with closing(reader(self._settings, "schemas")) as consumer:
            consumer.assign([place])
            while self._next < end:
                if time.monotonic() > deadline:
                    raise SchemaSourceError(f"{SCHEMAS.name}: read to {self._next} of {end} only")
                for message in consumer.consume(500, timeout=0.5):
                    if (error := message.error()) is not None:
                        raise KafkaException(error)
                    self._next = (message.offset() or 0) + 1
                    if (value := message.value()) is not None:
                        found = msgspec.json.decode(value, type=_Published)
                        self._known[found.id] = Foreign(found.subject, found.version, found.schema)
                # Compaction may have left no record at the end.
                (position,) = consumer.position([place])
                self._next = max(self._next, position.offset)


@contextmanager
def other_releases(settings: Settings) -> Iterator[None]:
    """Let this process read what other releases write, inside the block: unknown ids are asked of the topic.

    Nothing is connected until such an id is met.
    """
    topic, before = SchemaTopic(settings), lock().source
    lock().source = topic.find
    try:
        yield
    finally:
        lock().source = before
        topic.close()


def publish(settings: Settings, release: Lock) -> list[int]:
    """Publish a release's schemas that the topic lacks, and return their ids.

    Raises SchemaConflictError where the topic has another schema under one of the ids, and writes nothing,
    confluent_kafka.KafkaException where the broker refuses one.
    """
    topic = SchemaTopic(settings)
    try:
        known = topic.all()
    finally:
        topic.close()
    missing = [entry for entry in release.entries if entry.id not in known]
    for entry in release.entries:
        if entry.id in known and (known[entry.id].subject, known[entry.id].schema) != (
            entry.subject,
            release.schema(entry),
        ):
            raise SchemaConflictError(
                f"schema id {entry.id} is {entry.subject} here, but {known[entry.id].subject} of another "
                f"release is in {SCHEMAS.name}: ids are assigned once, on one branch (a platform that only "
                "ever saw a draft of a schema is made anew with `ecommerce reset`)"
            )
    producer = Producer({**librdkafka_options(settings), "enable.idempotence": True, "log_level": 0})
    refused: list[KafkaError] = []

    def told(error: KafkaError | None, _message: object) -> None:
        if error is not None:
            refused.append(error)

    for entry in missing:
        value = _Published(entry.id, entry.subject, entry.version, release.schema(entry))
        producer.produce(SCHEMAS.name, msgspec.json.encode(value), str(entry.id), on_delivery=told)
    if left := producer.flush(_PATIENCE_SECONDS):
        raise SchemaSourceError(f"{SCHEMAS.name}: the broker did not take {left} schemas")
    if refused:
        raise KafkaException(refused[0])
    return [entry.id for entry in missing]
