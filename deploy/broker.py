"""The broker as commands need it: there, or a clear word that it is not."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaException

from deploy.errors import CommandError
from topics.schema_topic import other_releases
from topics.settings import Settings

_CONNECT_SECONDS = 2.0


@contextmanager
def broker(settings: Settings) -> Iterator[None]:
    """Run a block that talks to Kafka; raises CommandError where no server answers or one refuses.

    The connection is tried first, because clients retry a server that is down for much longer.
    """
    if not any(_listens(server) for server in settings.kafka_bootstrap.split(",")):
        raise CommandError(f"no Kafka answers at {settings.kafka_bootstrap}: start it with `ecommerce up`")
    try:
        with other_releases(settings):
            yield
    except KafkaException as error:
        raise CommandError(f"Kafka at {settings.kafka_bootstrap}: {error.args[0].str()}") from error


def _listens(server: str) -> bool:
    host, _, port = server.strip().rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
    except (OSError, ValueError):
        return False
    return True
