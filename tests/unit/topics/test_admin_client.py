"""The admin client that a process keeps, and when it lets go of it."""

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from topics.admin_client import asked, client
from topics.settings import Settings

NOWHERE = Settings(kafka="127.0.0.1:1")


def _refused(_admin: AdminClient) -> None:
    raise KafkaException(KafkaError(KafkaError._NOENT))


def test_a_client_is_kept_as_long_as_it_is_answered() -> None:
    assert asked(NOWHERE, lambda admin: admin) is asked(NOWHERE, lambda admin: admin) is client(NOWHERE)


def test_after_a_failure_the_next_request_has_a_client_of_its_own() -> None:
    """One that knows of no leader, or of a broker as it was before it died, can stay so for ever."""
    first = client(NOWHERE)
    with pytest.raises(KafkaException):
        asked(NOWHERE, _refused)
    assert client(NOWHERE) is not first
