"""The API's ears, where a topic is deleted and made anew under them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from api.tail import Tail
from tests.eventually import eventually_async
from tests.made_anew import create, make_anew
from topics.admin_client import client
from topics.producer import MessageProducer
from topics.settings import Settings
from topics.topic import RawTopic, Topic

GONE, STAYS = "gone", "stays"
PARTITIONS = 2


class Ears:
    """What a tail heard of two topics, in the order in which it came."""

    def __init__(self, settings: Settings, suffix: str) -> None:
        self.settings = settings
        self.topics = {name: RawTopic(f"test.tail.{name}.{suffix}") for name in (GONE, STAYS)}
        self.heard: list[bytes] = []

    def tail(self) -> Tail:
        topics: list[Topic] = list(self.topics.values())  # type: ignore[type-arg,arg-type] # it asks their names
        tail = Tail(self.settings, topics)
        for topic in topics:
            tail.listen(topic, lambda _, value: self.heard.append(value))
        return tail

    async def hears(self, producer: MessageProducer, name: str, value: bytes) -> None:
        await (await producer.send_raw(self.topics[name], b"key", value))
        await eventually_async(lambda: asyncio.sleep(0, value in self.heard))


@pytest.fixture
async def ears(settings: Settings, topics_created: str, group_suffix: str) -> AsyncIterator[Ears]:  # noqa: ARG001 - the broker is there
    made = Ears(settings, group_suffix)
    names = [each.name for each in made.topics.values()]
    for name in names:
        await asyncio.to_thread(create, settings, name, PARTITIONS)
    yield made
    gone = client(settings).delete_topics(names)
    await asyncio.gather(*(asyncio.wrap_future(each) for each in gone.values()))


async def test_a_topic_that_is_made_anew_is_heard_again_and_the_others_all_the_while(ears: Ears) -> None:
    async with MessageProducer(ears.settings, "test") as producer, ears.tail():
        for number in range(20):
            await ears.hears(producer, GONE, b"old %d" % number)
        making = asyncio.create_task(
            asyncio.to_thread(make_anew, ears.settings, ears.topics[GONE].name, PARTITIONS)
        )
        number = 0
        while not making.done() or number < 20:
            number += 1
            await ears.hears(producer, STAYS, b"meanwhile %d" % number)
        await making
        await ears.hears(producer, GONE, b"new")
        await ears.hears(producer, STAYS, b"after")
    assert len(ears.heard) == len(set(ears.heard))
