"""Who has no password, or a wrong one, does nothing at Kafka; who has it comes in, from anywhere."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError as ClientError
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from pydantic import SecretStr

from deploy.embedded.kafka import ADMIN, kafka
from deploy.processes.process import NotReadyError, Process
from tests.stack import Child, Stack
from topics.connection import KafkaOptions, aiokafka_options, librdkafka_options
from topics.credentials import KafkaLoginError, make
from topics.login import brokers
from topics.registry import SERVICE_PING
from topics.settings import PortOffset, Settings

_SECONDS = 2.0


def strangers(stack: Stack, port: int) -> dict[str, Settings]:
    """Ways in that nobody gave away."""
    made, _ = make(stack.settings.credentials_file)
    given: dict[str, dict[str, Any]] = {
        "nobody": {},
        "a wrong password": {"kafka_user": "ecommerce", "kafka_password": "wrong"},
        "a longer password": {"kafka_user": "ecommerce", "kafka_password": f"{made.kafka}x"},
        "the admin with the clients' password": {"kafka_user": ADMIN, "kafka_password": made.kafka},
        "another name": {"kafka_user": "admin", "kafka_password": made.kafka},
        "another mechanism": {
            "kafka_user": "ecommerce",
            "kafka_password": made.kafka,
            "kafka_sasl_mechanism": "SCRAM-SHA-256",
        },
    }
    return {
        name: Settings(
            kafka=f"127.0.0.1:{port}",
            kafka_security_protocol="SASL_PLAINTEXT" if login else "PLAINTEXT",
            **login,
        )
        for name, login in given.items()
    }


def test_a_stranger_neither_lists_nor_writes_nor_reads(stack: Stack, topics_created: KafkaOptions) -> None:
    place = TopicPartition(SERVICE_PING.name, 0, 0)
    ours = Consumer({**topics_created, "group.id": "any"})
    before = ours.get_watermark_offsets(place, timeout=20)

    def is_kept_out(stranger: Settings) -> None:
        quiet: KafkaOptions = {**librdkafka_options(stranger), "log_level": 0}
        with pytest.raises(KafkaException):
            AdminClient(quiet).list_topics(timeout=_SECONDS)
        told: list[Any] = []
        producer = Producer({**quiet, "message.timeout.ms": int(_SECONDS * 1000)})
        producer.produce(place.topic, b"v", b"k", 0, on_delivery=lambda error, _: told.append(error))
        producer.flush(20)
        assert told[0] is not None
        theirs = Consumer({**quiet, "group.id": "stranger"})
        with pytest.raises(KafkaException):
            theirs.get_watermark_offsets(place, timeout=_SECONDS)
        theirs.close()

    others = strangers(stack, stack.settings.port(PortOffset.KAFKA)).values()
    with ThreadPoolExecutor(len(others)) as pool:
        list(pool.map(is_kept_out, others))
    assert ours.get_watermark_offsets(place, timeout=20) == before
    ours.close()


async def enters(settings: Settings) -> bool:
    """Whether a listener lets somebody in, and answers."""
    way = aiokafka_options(settings)
    host, _, port = way.pop("bootstrap_servers").rpartition(":")
    try:
        connection = await create_conn(host, int(port), request_timeout_ms=10_000, **way)
        # One that wants a login takes a single question without: which versions it speaks.
        await connection._do_version_lookup()
    except ClientError:
        return False
    connection.close()
    return True


async def test_nobody_but_the_broker_itself_enters_at_the_controllers_port(
    stack: Stack,
    topics_created: KafkaOptions,  # noqa: ARG001 (it runs)
) -> None:
    port = stack.settings.port(PortOffset.KAFKA_CONTROLLER)
    made, admins = make(stack.settings.credentials_file)
    others = strangers(stack, port)
    others["the platform's own"] = login_at(port, "ecommerce", made.kafka)
    for name, other in others.items():
        assert not await enters(other), name
    assert await enters(login_at(port, ADMIN, admins.kafka))


def login_at(port: int, user: str, password: str) -> Settings:
    return Settings(
        kafka=f"127.0.0.1:{port}",
        kafka_security_protocol="SASL_PLAINTEXT",
        kafka_user=user,
        kafka_password=SecretStr(password),
    )


@pytest.mark.usefixtures("topics_created")
def test_what_is_wrong_is_said_without_the_password(stack: Stack) -> None:
    password = make(stack.settings.credentials_file)[0].kafka
    for name, stranger in strangers(stack, stack.settings.port(PortOffset.KAFKA)).items():
        with pytest.raises(KafkaLoginError, match="does not let us in") as refused:
            brokers(stranger, _SECONDS)
        told = str(refused.value)
        assert "ECOMMERCE_KAFKA_PASSWORD" in told, name
        assert "wrong" not in told, name
        assert password not in told, name


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "own")
    yield stack
    stack.close()


PLAIN = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
log.dirs={logs}
offsets.topic.replication.factor=1
"""


def test_data_of_a_version_without_passwords_is_kept_and_closed(own: Stack) -> None:
    now = kafka(own.settings)
    assert isinstance(now, Process)
    home, broker = own.settings.data_dir / "kafka", own.settings.port(PortOffset.KAFKA)
    open_to_all: KafkaOptions = {"bootstrap.servers": f"127.0.0.1:{broker}", "log_level": 0}

    def prepare_as_before(report: Any) -> None:
        # Written first, and over what this version writes: a directory is formatted by what stands there.
        now.prepare(report)
        controller = own.settings.port(PortOffset.KAFKA_CONTROLLER)
        (home / "server.properties").write_text(
            PLAIN.format(broker=broker, controller=controller, logs=home / "data")
        )

    def served_as_before() -> None:
        try:
            AdminClient(open_to_all).list_topics(timeout=_SECONDS)
        except KafkaException as error:
            raise NotReadyError(str(error)) from error

    before = Child(
        replace(now, prepare=prepare_as_before, ready=served_as_before), own.settings.data_dir / "log"
    )
    before.start()
    try:
        admin = AdminClient(open_to_all)
        for made in admin.create_topics([NewTopic("kept", 1, 1)]).values():
            made.result()
        producer = Producer({**open_to_all, "acks": "all"})
        producer.produce("kept", b"value")
        assert producer.flush(30) == 0
        # To its client it says what is the matter.
        with pytest.raises(KafkaLoginError, match="`ecommerce down`, then `ecommerce up`"):
            brokers(own.settings)
    finally:
        before.stop()

    own.kafka()
    reader = Consumer({**librdkafka_options(own.settings), "group.id": "any"})
    reader.assign([TopicPartition("kept", 0, 0)])
    record = reader.poll(30)
    reader.close()
    assert record is not None
    assert record.value() == b"value"
    with pytest.raises(KafkaException):
        AdminClient(open_to_all).list_topics(timeout=_SECONDS)
    assert not asyncio.run(enters(Settings(kafka=f"127.0.0.1:{broker}")))
