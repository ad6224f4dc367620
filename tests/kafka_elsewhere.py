"""The stack's broker as an external one: for processes and settings that are not the platform's own."""

from typing import Any

from pydantic import SecretStr

from topics.connection import connection
from topics.settings import Settings


def fields(settings: Settings) -> dict[str, Any]:
    """Return what to set in other settings so that they reach the same Kafka."""
    way = connection(settings)
    login = {"kafka_user": way.user, "kafka_password": way.password} if way.with_login else {}
    return {
        "kafka": way.bootstrap,
        "kafka_security_protocol": way.protocol,
        "kafka_sasl_mechanism": way.mechanism,
        **login,
        **({"kafka_ca_file": way.ca_file} if way.ca_file is not None else {}),
    }


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables with which a process reaches the same Kafka."""
    return {
        f"ECOMMERCE_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in fields(settings).items()
    }
