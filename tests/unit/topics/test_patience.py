import psycopg
import pytest
import redis
from confluent_kafka import KafkaError, KafkaException
from sqlalchemy.exc import OperationalError

from topics.patience import passes, patiently


def kafka(code: int) -> KafkaException:
    return KafkaException(KafkaError(code))


class StartingError(psycopg.OperationalError):
    sqlstate = "57P03"


class OfElasticsearchError(Exception):
    status_code = 503


@pytest.mark.parametrize(
    "error",
    [
        kafka(KafkaError.NOT_LEADER_FOR_PARTITION),
        kafka(KafkaError.LEADER_NOT_AVAILABLE),
        kafka(KafkaError.COORDINATOR_LOAD_IN_PROGRESS),
        StartingError("starting"),
        psycopg.OperationalError("connection failed: FATAL:  the database system is starting up"),
        OperationalError("SELECT 1", {}, StartingError("starting")),
        redis.BusyLoadingError("Redis is loading the dataset in memory"),
        OfElasticsearchError("503"),
    ],
)
def test_what_passes_is_waited_for(error: Exception) -> None:
    left = [error, error]

    def ask() -> str:
        if left:
            raise left.pop()
        return "done"

    assert passes(error)
    assert patiently(ask) == "done"


@pytest.mark.parametrize(
    "error",
    [
        kafka(KafkaError.TOPIC_AUTHORIZATION_FAILED),
        kafka(KafkaError.INVALID_REPLICATION_FACTOR),
        psycopg.OperationalError("connection refused"),
        psycopg.OperationalError('password authentication failed for user "x"'),
        redis.AuthenticationError("invalid"),
        ValueError("57P03"),
    ],
)
def test_what_does_not_is_told_at_once(error: Exception) -> None:
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        raise error

    with pytest.raises(type(error)):
        patiently(ask)
    assert len(asked) == 1


def test_patience_has_an_end() -> None:
    def never() -> None:
        raise kafka(KafkaError.NOT_LEADER_FOR_PARTITION)

    with pytest.raises(KafkaException):
        patiently(never, seconds=0.2)
