"""Waiting for servers that say "not yet": one place that knows what passes by itself, and one deadline.

A broker moves leaders, a database replays its log, Redis loads its data: on a slow machine for many seconds.
Of a server that is not there at all, or refuses for good, is told at once.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import stamina
from confluent_kafka import KafkaError, KafkaException

T = TypeVar("T")

PATIENCE_S: Final = 60.0
"""How long a server is waited for that says that it is starting, or moving."""

_LONGEST_PAUSE_S = 2.0

_KAFKA = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_COORDINATOR,
        KafkaError.NOT_CONTROLLER,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError._TRANSPORT,  # noqa: SLF001 -- librdkafka's own codes have this form
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._TIMED_OUT_QUEUE,  # noqa: SLF001
        KafkaError._WAIT_COORD,  # noqa: SLF001
        KafkaError._NOENT,  # noqa: SLF001 -- its "no leaders found"
    }
)
# cannot_connect_now: starting, stopping, in recovery; admin_shutdown and crash_shutdown: on its way back.
_POSTGRES = frozenset({"57P03", "57P01", "57P02"})
_POSTGRES_TEXTS = ("the database system is", "not yet accepting connections")
_REDIS = ("BusyLoadingError", "TryAgainError", "ClusterDownError", "MasterDownError")
_HTTP = frozenset({429, 502, 503, 504})


def passes(error: BaseException) -> bool:
    """Tell whether what a server said passes by itself: of Kafka, PostgreSQL, Redis and Elasticsearch.

    Known by what errors carry, so that nobody loads the clients of servers that it does not use.
    """
    if isinstance(error, KafkaException):
        told = error.args[0]
        return isinstance(told, KafkaError) and (told.retriable() or told.code() in _KAFKA)
    # SQLAlchemy wraps the driver's error, redis-py names what it is.
    original = getattr(error, "orig", None) or error
    if getattr(original, "sqlstate", None) in _POSTGRES or type(original).__name__ in _REDIS:
        return True
    if getattr(original, "status_code", None) in _HTTP:
        return True
    # A refused start-up has no code in psycopg: the server ends the connection with a text.
    return type(original).__module__.startswith("psycopg") and any(
        text in str(original) for text in _POSTGRES_TEXTS
    )


def patiently(ask: Callable[[], T], seconds: float = PATIENCE_S) -> T:
    """Return what `ask` does, called again while a server says that it cannot yet; raises its last error."""
    for attempt in stamina.retry_context(
        on=passes, attempts=None, timeout=seconds, wait_initial=0.05, wait_max=_LONGEST_PAUSE_S
    ):
        with attempt:
            return ask()
    raise AssertionError("the last attempt returns or raises")
