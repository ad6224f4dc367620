"""Where a worker's source topics end, asked by a way of its own: the consumer may be what hangs."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import structlog
from confluent_kafka import KafkaException

from streams.kernel.flow import Flow
from streams.kernel.standstill import SourcePartition
from topics.offsets import end_offsets
from topics.settings import Settings

log = structlog.get_logger(__name__)

ANSWER_S: Final = 5.0


class SourceEnds:
    """Asks for the ends of all partitions of the flows' sources. Called from one thread, which it blocks."""

    def __init__(self, settings: Settings, flows: Iterable[Flow[Any]]) -> None:
        self._settings = settings
        self._places = {
            (route.topic.name, partition)
            for flow in flows
            for route in flow.routes
            for partition in range(settings.partitions)
        }
        self._answers = True

    def __call__(self) -> Mapping[SourcePartition, int] | None:
        """Return the offset after the last record of each; None where the broker does not answer for all."""
        try:
            ends = end_offsets(self._settings, self._places, ANSWER_S)
        except KafkaException as error:
            if self._answers:
                log.warning("broker does not answer, the worker waits for it", error=str(error))
            self._answers = False
            return None
        if not self._answers:
            log.info("broker answers again")
        self._answers = True
        return ends
