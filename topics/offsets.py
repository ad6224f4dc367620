"""Where partitions begin and end, as the broker tells it."""

import time
from typing import Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from topics.admin_client import asked
from topics.patience import PATIENCE_S, patiently
from topics.settings import Settings

TIMEOUT_S: Final = 30.0
_LOOK_S: Final = 0.05
_ONE_S: Final = 5.0
"""How long one request may take where another one, by a new client, may be told more."""

Place = tuple[str, int]
"""A topic and a partition of it."""


def first_offsets(settings: Settings, places: set[Place], timeout_s: float = TIMEOUT_S) -> dict[Place, int]:
    """Return the offset of the first record that each partition still has.

    Raises confluent_kafka.KafkaException where the broker does not answer for all of them in `timeout_s`.
    """
    return _offsets(settings, places, OffsetSpec.earliest(), timeout_s)  # type: ignore[no-untyped-call] # untyped upstream


def end_offsets(settings: Settings, places: set[Place], timeout_s: float = TIMEOUT_S) -> dict[Place, int]:
    """Return the offset after the last record of each partition; raises like `first_offsets`."""
    return _offsets(settings, places, OffsetSpec.latest(), timeout_s)  # type: ignore[no-untyped-call] # untyped upstream


def await_leaders(settings: Settings, places: set[Place]) -> dict[Place, int]:
    """Wait until every partition has a leader that serves, and return where they end.

    The broker acknowledges a new topic before its partitions have leaders: who asks too early is refused.
    Raises confluent_kafka.KafkaException where one still has none after a minute.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return end_offsets(settings, places, _ONE_S)
        except KafkaException:
            # Whatever it is: a topic may not even be known everywhere yet.
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_S)


def _offsets(settings: Settings, places: set[Place], spec: OffsetSpec, timeout_s: float) -> dict[Place, int]:
    if not places:
        return {}
    wanted = {TopicPartition(topic, partition): spec for topic, partition in places}

    def ask(admin: AdminClient) -> dict[Place, int]:
        answers = admin.list_offsets(wanted, request_timeout=min(timeout_s, _ONE_S))
        return {(tp.topic, tp.partition): future.result().offset for tp, future in answers.items()}

    return patiently(lambda: asked(settings, ask), timeout_s)
