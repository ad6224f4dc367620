"""Where a sink connector sends the records that cannot be written."""

import time
from typing import Protocol

import structlog
from aiokafka.errors import KafkaError

from connectors.runtime import metrics
from connectors.runtime.record import Record
from connectors.runtime.sink import SinkUnavailableError
from topics.burying import bury
from topics.dead_letter import CODE, TARGET, letter_headers, said
from topics.producer import MessageProducer
from topics.registry import DEAD_LETTERS

log = structlog.get_logger(__name__)

UNDECODABLE = "undecodable"
UNPROJECTABLE = "unprojectable"
REFUSED = "refused"

TOPIC = DEAD_LETTERS["sink"]
_LETTERS = frozenset(topic.name for topic in DEAD_LETTERS.values())


class DeadLetters(Protocol):
    """Takes the records that cannot be written."""

    async def put(self, record: Record, reason: str, error: BaseException | str) -> None:
        """Keep the record durably, with its reason."""
        ...


class DeadLetterTopic:
    """The dead-letter topic of the sinks. One producer serves any number of connectors."""

    def __init__(self, producer: MessageProducer, sink: str, group: str) -> None:
        self._producer = producer
        self._sink = sink
        self._group = group

    async def put(self, record: Record, reason: str, error: BaseException | str) -> None:
        """Send the record's bytes to the dead letters and wait for the broker's answer.

        Raises SinkUnavailableError where the broker does not take it: the batch is then delivered again.
        """
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        metrics.REFUSED.labels(self._sink, reason).inc()
        log.error("sink.refused", sink=self._sink, reason=reason, error=said(error), **place)
        if record.topic in _LETTERS:
            return  # It lies in a dead-letter topic already; a letter about it would come back for ever.
        told = letter_headers(
            consumer=self._group,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason,
            error=error,
            failed_at=time.time_ns() // 1_000_000,
        )
        told[TARGET] = self._sink
        if code := getattr(error, "code", None):
            told[CODE] = str(code)
        try:
            await bury(self._producer, TOPIC, record, told)
        except KafkaError as failure:
            raise SinkUnavailableError(f"the dead-letter topic takes no records: {failure}") from failure
