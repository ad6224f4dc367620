"""This process's admin client of a broker, and how it is replaced where it has stopped to answer."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from topics.connection import Connection, connection, librdkafka_options
from topics.settings import Settings

T = TypeVar("T")


def client(settings: Settings) -> AdminClient:
    """Return this process's admin client of the configured broker.

    It is kept: a client that is collected cancels its requests, and one per look would cost threads and
    connections each time.
    """
    return _client(connection(settings))


def asked(settings: Settings, ask: Callable[[AdminClient], T]) -> T:
    """Return what `ask` is told. After a failure, which is raised, the next call has a new client.

    One has been seen to get no answers from a broker that was killed, and to know of no leader of a new
    partition for as long as it lives (librdkafka issue 5430).
    """
    # Held until it has answered: another thread may let go of it meanwhile.
    admin = client(settings)
    try:
        return ask(admin)
    except KafkaException:
        _client.cache_clear()
        raise


@lru_cache(maxsize=8)
def _client(way: Connection) -> AdminClient:
    # Silent: every call raises what went wrong, and a kept client would tell each second of a broker that is
    # down, or that it no longer needs.
    return AdminClient({**librdkafka_options(way), "log_level": 0})
