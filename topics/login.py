"""Whether Kafka lets this process in: told at once, where clients would try for ever and say little."""

import logging
import re
import socket
import time
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from topics.connection import Connection, connection, librdkafka_options
from topics.credentials import FILE, KafkaLoginError
from topics.settings import Settings

SECONDS: Final = 5.0
_CONNECT_SECONDS: Final = 2.0
_FIRST_LOOK_SECONDS: Final = 0.5
_SHORTEST_LOOK_SECONDS: Final = 0.1
_SIGNS: Final = ("security.protocol", "SSL handshake failed")
_CLOSED: Final = "connection closed by peer"
_REFUSED: Final = frozenset({KafkaError._AUTHENTICATION, KafkaError._SSL})  # noqa: SLF001 -- their names
_CERTAIN: Final = 2
"""How often it must refuse: a broker that ends closes connections at any stage."""


def listens(server: str) -> bool:
    """Tell whether something listens at `host:port`."""
    host, _, port = server.strip().rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
    except (OSError, ValueError):
        return False
    return True


def refuse_wrong_login(settings: Settings) -> None:
    """Raise KafkaLoginError where Kafka does not let this client in.

    Returns where it does, and where none answers: that may pass.
    """
    if any(listens(server) for server in settings.kafka_bootstrap.split(",")):
        try:
            brokers(settings)
        except KafkaException:
            return


def brokers(settings: Settings, seconds: float = SECONDS) -> int:
    """Log in and return how many brokers Kafka has; it is asked for `seconds`.

    Raises KafkaLoginError where it refuses, confluent_kafka.KafkaException where it does not answer.
    """
    way = connection(settings)
    refusals = _Refusals(way)
    client = {**librdkafka_options(way), "error_cb": refusals.note, "logger": refusals.logger}
    admin = AdminClient(client)
    deadline, look = time.monotonic() + seconds, _FIRST_LOOK_SECONDS
    while True:
        try:
            return len(admin.list_topics(timeout=min(look, deadline - time.monotonic())).brokers)
        except KafkaException as error:
            admin.poll(0)
            over = time.monotonic() + _SHORTEST_LOOK_SECONDS > deadline
            if refusals.certain() or (over and refusals.told):
                raise KafkaLoginError(_told(settings, way, refusals.told)) from error
            if over:
                raise
            look *= 2


class _Refusals(logging.Handler):
    """What the broker says against the client, or does: the client tells it, and shows it to nobody else."""

    def __init__(self, way: Connection) -> None:
        super().__init__()
        self.logger = logging.Logger("kafka login")  # noqa: LOG001 -- of one look alone, and known to nobody else
        self.logger.addHandler(self)
        self.told = ""
        self._refused = 0
        self._with_login = way.with_login

    def note(self, error: KafkaError) -> None:
        """Take an error of the client."""
        refused = error.code() in _REFUSED
        if refused or any(sign in error.str() for sign in _SIGNS):
            self._refused += refused
            self.told = error.str()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line of the client's log: a broker that wants a login says nothing to who has none."""
        if not self._with_login and _CLOSED in record.getMessage():
            self.told = self.told or "it ends the connections: it may want a login, or TLS"

    def certain(self) -> bool:
        """Tell whether waiting cannot help."""
        return self._refused >= _CERTAIN


def _told(settings: Settings, way: Connection, reason: str) -> str:
    # The client puts the address before, and how long it took behind.
    reason = re.sub(r"^\S+://\S+: | \(after .*\)$", "", reason)
    who = f" as {way.user!r}" if way.with_login else ""
    refused = f"Kafka at {way.bootstrap} does not let us in{who} ({_how(way)}): {reason}"
    if settings.kafka:
        return (
            f"{refused}; see ECOMMERCE_KAFKA_SECURITY_PROTOCOL, ECOMMERCE_KAFKA_SASL_MECHANISM, "
            "ECOMMERCE_KAFKA_USER, ECOMMERCE_KAFKA_PASSWORD and ECOMMERCE_KAFKA_CA_FILE"
        )
    file = settings.credentials_file
    if not file.exists():
        return f"{refused}; there is no {FILE} at {file}: is ECOMMERCE_DATA_DIR the running platform's?"
    return (
        f"{refused}; the broker that runs was started without the password in {file}: "
        "`ecommerce down`, then `ecommerce up`"
    )


def _how(way: Connection) -> str:
    return f"{way.protocol}, {way.mechanism}" if way.with_login else way.protocol
