"""Where partitions begin and end, as the broker tells it."""

import time
from typing import Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from topics.patience import PATIENCE_S, patiently

TIMEOUT_S: Final = 30.0
_LOOK_S: Final = 0.05

Place = tuple[str, int]
"""A topic and a partition of it."""


def first_offsets(admin: AdminClient, places: set[Place], timeout_s: float = TIMEOUT_S) -> dict[Place, int]:
    """Return the offset of the first record that each partition still has.

    Raises confluent_kafka.KafkaException where the broker does not answer for all of them in `timeout_s`.
    """
    return _offsets(admin, places, OffsetSpec.earliest(), timeout_s)  # type: ignore[no-untyped-call] # untyped upstream


def end_offsets(admin: AdminClient, places: set[Place], timeout_s: float = TIMEOUT_S) -> dict[Place, int]:
    """Return the offset after the last record of each partition; raises like `first_offsets`."""
    return _offsets(admin, places, OffsetSpec.latest(), timeout_s)  # type: ignore[no-untyped-call] # untyped upstream


def await_leaders(admin: AdminClient, places: set[Place]) -> dict[Place, int]:
    """Wait until every partition has a leader that serves, and return where they end.

    The broker acknowledges a new topic before its partitions have leaders: who asks too early is refused.
    Raises confluent_kafka.KafkaException where one still has none after a minute.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return end_offsets(admin, places)
        except KafkaException:
            # Whatever it is: a topic may not even be known everywhere yet.
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_S)


def _offsets(admin: AdminClient, places: set[Place], spec: OffsetSpec, timeout_s: float) -> dict[Place, int]:
    if not places:
        return {}
    wanted = {TopicPartition(topic, partition): spec for topic, partition in places}

    def ask() -> dict[Place, int]:
        answers = admin.list_offsets(wanted, request_timeout=timeout_s)
        return {(tp.topic, tp.partition): future.result().offset for tp, future in answers.items()}

    return patiently(ask, timeout_s)
