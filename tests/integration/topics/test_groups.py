"""Where groups stand, as their coordinators tell it: what they committed, with which text, what they hold."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from pydantic import SecretStr

from tests.eventually import eventually
from tests.kafka_elsewhere import fields
from tests.stack import Stack
from topics.connection import librdkafka_options
from topics.coordinators import Committed
from topics.groups import commits, groups, held
from topics.identity import committed_ids, ids_there, mark
from topics.registry import CART_ADD, CART_CLEAR
from topics.settings import Settings

pytestmark = pytest.mark.usefixtures("topics_created")


@pytest.fixture
def group(group_suffix: str) -> str:
    return f"ecommerce.test.{group_suffix}"


@pytest.fixture
def member(settings: Settings, group: str) -> Iterator[Consumer]:
    consumer = Consumer({**librdkafka_options(settings), "group.id": group})
    yield consumer
    consumer.close()


def test_offsets_are_told_with_the_words_beside_them(
    settings: Settings, group: str, member: Consumer
) -> None:
    name = CART_ADD.name
    topic_id = ids_there(settings, [name])[name]
    places = [TopicPartition(name, 0, 7, mark(topic_id)), TopicPartition(name, 1, 0, "Ünïcode")]
    member.commit(offsets=places, asynchronous=False)
    never = f"{group}.never"
    assert commits(settings, [group, never]) == {
        (group, (name, 0)): Committed(7, mark(topic_id)),
        (group, (name, 1)): Committed(0, "Ünïcode"),
    }
    assert committed_ids(settings, group) == {(name, 0): topic_id, (name, 1): None}
    assert group in groups(settings)
    assert not {group, never} & set(groups(settings, "other."))
    assert never not in groups(settings)


def test_partitions_are_told_that_members_hold(settings: Settings, group: str, member: Consumer) -> None:
    never = f"{group}.never"
    wanted = {
        (group, (topic.name, n)) for topic in (CART_ADD, CART_CLEAR) for n in range(settings.partitions)
    }

    def found() -> set[tuple[str, tuple[str, int]]]:
        member.poll(0.1)
        return held(settings, [never, group])

    assert held(settings, [group]) == set()
    member.subscribe([CART_ADD.name, CART_CLEAR.name])
    eventually(found, lambda places: places == wanted)
    member.unsubscribe()
    eventually(found, lambda places: not places)


def test_who_is_not_let_in_is_told_so(settings: Settings, group: str) -> None:
    stranger = settings.model_copy(update={**fields(settings), "kafka_password": SecretStr("guessed")})
    with pytest.raises(KafkaException) as refused:
        commits(stranger, [group])
    assert refused.value.args[0].code() == KafkaError.SASL_AUTHENTICATION_FAILED


def test_no_broker_is_told_at_once(group: str) -> None:
    began = time.monotonic()
    with pytest.raises(KafkaException) as refused:
        held(Settings(kafka="127.0.0.1:1"), [group])
    assert refused.value.args[0].code() == KafkaError._ALL_BROKERS_DOWN
    assert time.monotonic() - began < 10


def test_a_broker_that_hangs_is_waited_for_no_longer_than_was_said(group: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging, pytest.raises(KafkaException) as late:
        commits(Settings(kafka=f"127.0.0.1:{hanging.getsockname()[1]}"), [group], 0.5)
    assert late.value.args[0].code() == KafkaError._TIMED_OUT


def test_who_asks_while_the_broker_is_killed_is_told_afterwards(
    stack: Stack, settings: Settings, group: str, member: Consumer
) -> None:
    """The process that asks lives on: with librdkafka's admin client every second kill ended it."""
    broker = stack.kafka()
    member.commit(offsets=[TopicPartition(CART_ADD.name, 0, 7)], asynchronous=False)
    asking = True
    answers: list[bool] = []

    def ask() -> None:
        while asking:
            try:
                answers.append(bool(commits(settings, [group], 3.0)) and not held(settings, [group], 3.0))
            except KafkaException:
                time.sleep(0.01)

    with ThreadPoolExecutor(3) as askers:
        running = [askers.submit(ask) for _ in range(3)]
        try:
            broker.kill()
            broker.start()
            seen = len(answers)
            eventually(lambda: len(answers) > seen + 10, seconds=60)
        finally:
            asking = False
        for each in running:
            each.result()
    assert all(answers)
