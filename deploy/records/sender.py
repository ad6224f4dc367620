"""Producing records as bytes."""

from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, Message, Producer

from deploy.errors import CommandError
from deploy.records.record import Headers
from topics.connection import librdkafka_options
from topics.settings import Settings

_FLUSH_SECONDS = 60.0


class Sender:
    """An idempotent producer that partitions by key as the platform does (murmur2).

    `flush` (and leaving the context without an error) raises CommandError where the broker did not take all.
    """

    def __init__(self, settings: Settings) -> None:
        self._failure: str | None = None
        self._producer = Producer(
            {
                **librdkafka_options(settings),
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "message.max.bytes": 16 * 1024 * 1024,
                "log_level": 0,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.flush()

    def send(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        """Queue one record; waits where the queue is full. Raises CommandError after a failed delivery."""
        while True:
            if self._failure:
                raise CommandError(self._failure)
            try:
                self._producer.produce(topic, value, key, headers=list(headers), on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(0.5)
            else:
                self._producer.poll(0)
                return

    def flush(self) -> None:
        """Wait until the broker has every record."""
        left = self._producer.flush(_FLUSH_SECONDS)
        if self._failure or left:
            raise CommandError(
                self._failure or f"the broker did not take {left} records in {_FLUSH_SECONDS:.0f} s"
            )

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failure = f"{message.topic()}: the broker refused a record: {error.str()}"
