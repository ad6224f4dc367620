"""The way in to Kafka: where it is and what a client logs in with, in the words of each client library.

Whoever makes a client takes these options: authentication costs once, when a connection is made.
"""

import logging
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from topics.settings import (
    KAFKA_USER,
    SaslMechanism,
    SecurityProtocol,
    Settings,
    is_loopback,
    is_with_login,
    is_with_tls,
)

KafkaOptions = dict[str, Any]
"""What is given to a client; it holds the password."""

_NOTHING_MADE: Final = "no password was made yet"
"""Stands for the password before a first start: no client takes an empty one."""


@dataclass(frozen=True, slots=True)
class Connection:
    """All that a client has to know to reach Kafka; equal ones may share a client."""

    bootstrap: str
    protocol: SecurityProtocol
    mechanism: SaslMechanism
    user: str
    password: SecretStr
    ca_file: Path | None

    @property
    def with_login(self) -> bool:
        """Tell whether a client logs in with a name and a password."""
        return is_with_login(self.protocol)

    @property
    def with_tls(self) -> bool:
        """Tell whether a client speaks TLS, and believes certificates only."""
        return is_with_tls(self.protocol)

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return what Python's clients need for TLS; None without."""
        return _ssl_context(self.ca_file) if self.with_tls else None


def connection(settings: Settings) -> Connection:
    """Return the way in to the configured Kafka: the external one, or the embedded one with its password.

    Raises topics.credentials.CredentialsError where the password cannot be read.
    """
    if settings.kafka:
        return Connection(
            settings.kafka_bootstrap,
            settings.kafka_security_protocol,
            settings.kafka_sasl_mechanism,
            settings.kafka_user or "",
            settings.kafka_password or SecretStr(""),
            settings.kafka_ca_file,
        )
    password = SecretStr(settings.embedded_kafka_password or _NOTHING_MADE)
    return Connection(settings.kafka_bootstrap, "SASL_PLAINTEXT", "PLAIN", KAFKA_USER, password, None)


def librdkafka_options(way: Settings | Connection) -> KafkaOptions:
    """Return the way in as options of confluent_kafka's clients; they hold the password."""
    way = connection(way) if isinstance(way, Settings) else way
    options = {"bootstrap.servers": way.bootstrap, "security.protocol": way.protocol}
    if way.with_login:
        options |= {
            "sasl.mechanism": way.mechanism,
            "sasl.username": way.user,
            "sasl.password": way.password.get_secret_value(),
        }
    if way.with_tls and way.ca_file is not None:
        options["ssl.ca.location"] = str(way.ca_file)
    return options


def aiokafka_options(way: Settings | Connection) -> KafkaOptions:
    """Return the way in as keyword arguments of aiokafka's clients; they hold the password."""
    way = connection(way) if isinstance(way, Settings) else way
    options: KafkaOptions = {"bootstrap_servers": way.bootstrap, "security_protocol": way.protocol}
    if way.with_login:
        options |= {
            "sasl_mechanism": way.mechanism,
            "sasl_plain_username": way.user,
            "sasl_plain_password": way.password.get_secret_value(),
        }
        _say_less_of(way)
    if way.with_tls:
        options["ssl_context"] = way.ssl_context()
    return options


@lru_cache(maxsize=8)
def _ssl_context(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _say_less_of(way: Connection) -> None:
    """Keep aiokafka from warning, at each connection, of a password in the clear that leaves no machine."""
    hosts = (server.strip().rpartition(":")[0].strip("[]") for server in way.bootstrap.split(","))
    if all(is_loopback(host) for host in hosts):
        logging.getLogger("aiokafka.conn").addFilter(_is_worth_saying)


def _is_worth_saying(record: logging.LogRecord) -> bool:
    return "in the clear" not in record.getMessage()
