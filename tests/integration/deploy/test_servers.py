"""The embedded servers: what was written before a restart is there after it."""

import psycopg
import redis as redis_client
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from tests.stack import Stack
from topics.admin import all_topics, verify
from topics.connection import KafkaOptions

TOPIC = "stack-restart"


def test_a_kafka_record_survives_a_restart(stack: Stack, kafka: KafkaOptions, group_suffix: str) -> None:
    admin = AdminClient(kafka)
    admin.create_topics([NewTopic(TOPIC, 1)])[TOPIC].result(20)
    producer = Producer({**kafka, "acks": "all"})
    producer.produce(TOPIC, b"kept", b"key")
    assert producer.flush(20) == 0

    stack.kafka().restart()

    consumer = Consumer({**kafka, "group.id": group_suffix, "auto.offset.reset": "earliest"})
    consumer.subscribe([TOPIC])
    record = consumer.poll(30)
    consumer.close()
    assert record is not None
    assert record.error() is None
    assert (record.key(), record.value()) == (b"key", b"kept")


def test_a_postgres_row_survives_a_restart(stack: Stack, postgres: str) -> None:
    with psycopg.connect(postgres) as connection:
        connection.execute("CREATE TABLE kept (id int)")
        connection.execute("INSERT INTO kept VALUES (7)")

    stack.postgres().restart()

    with psycopg.connect(postgres) as connection:
        assert connection.execute("SELECT id FROM kept").fetchall() == [(7,)]


def test_a_redis_key_survives_a_kill(stack: Stack, redis_url: str) -> None:
    with redis_client.Redis.from_url(redis_url) as connection:
        connection.set("kept", "7")

    stack.redis().kill()
    stack.redis().start()

    with redis_client.Redis.from_url(redis_url) as connection:
        assert connection.get("kept") == b"7"


def test_postgres_has_trigram_search(postgres: str) -> None:
    with psycopg.connect(postgres) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        row = connection.execute("SELECT similarity('lantern', 'lanten') > 0.4").fetchone()
    assert row == (True,)


def test_each_test_gets_its_own_database(stack: Stack, postgres: str, redis_url: str) -> None:
    assert stack.fresh_database() != postgres
    assert stack.fresh_redis() != redis_url


def test_the_registrys_topics_exist(stack: Stack, topics_created: KafkaOptions) -> None:
    names = AdminClient(topics_created).list_topics(timeout=20).topics
    assert {topic.name for topic in all_topics()} <= set(names)
    assert verify(stack.settings) == []
