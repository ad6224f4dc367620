"""The one way in which the commands read topics, where it is used several times."""

import asyncio
from uuid import uuid4

from deploy.records.position import Beginning
from deploy.records.reader import Reader
from tests.made_anew import create
from topics.admin_client import client
from topics.producer import MessageProducer
from topics.settings import Settings
from topics.topic import RawTopic

PARTITIONS = 8
RECORDS = 400


async def _write(settings: Settings, topic: RawTopic) -> None:
    async with MessageProducer(settings, "test") as producer:
        for number in range(RECORDS):
            await (await producer.send_raw(topic, b"key %d" % number, b"value"))


def test_topics_can_be_read_again_and_again(settings: Settings, topics_created: str) -> None:  # noqa: ARG001 - the broker is there
    topic = RawTopic(f"test.read.{uuid4()}")
    create(settings, topic.name, PARTITIONS)
    asyncio.run(_write(settings, topic))
    with Reader(settings) as reader:
        spans = reader.spans([topic.name], Beginning())
        for _ in range(6):
            assert sum(1 for _ in reader.read(spans)) == RECORDS
            assert sum(1 for _ in reader.read_in_time_order(spans)) == RECORDS
    client(settings).delete_topics([topic.name])[topic.name].result()
