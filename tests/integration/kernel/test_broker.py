"""The kernel's own ways to the broker: fencing, restoring, publishing; and a poisoned record in a worker."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.structs import TopicPartition

from streams.kernel import fenced_changelog
from streams.kernel.appends import Appends
from streams.kernel.errors import OwnershipLostError
from streams.kernel.fenced_changelog import FencedChangelog
from streams.kernel.layout import OWNER
from streams.kernel.ports import Entry, Output
from streams.kernel.publisher import KafkaPublisher
from streams.kernel.restore import MAX_AGE_MS, Target, restore
from tests.eventually import eventually_async
from tests.integration.kernel.workers import Workers, distinct, feed
from topics.connection import aiokafka_options
from topics.registry import CART_ADD, CART_UPDATED, CHANGELOGS, DEAD_LETTERS
from topics.settings import Settings

CHANGELOG = CHANGELOGS["product"].name


@pytest.fixture
async def client(own_settings: Settings) -> AsyncIterator[AIOKafkaClient]:
    client = AIOKafkaClient(**aiokafka_options(own_settings))
    await client.bootstrap()
    await client.set_topics([CHANGELOG])
    yield client
    await client.close()


class DictStore:
    """A restorable store without RocksDB."""

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}
        self.at: int | None = None
        self.time = 0

    def get(self, key: bytes) -> bytes | None:
        return self.entries.get(key)

    def write(self, entries: Sequence[Entry], offset: int | None) -> None:
        for key, value in entries:
            if value is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = value
        self.at = offset
        self.time = time.time_ns() // 1_000_000

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self.entries.items()

    def offset(self) -> int | None:
        return self.at

    def written_at(self) -> int:
        return self.time

    def clear(self) -> None:
        self.entries.clear()


async def test_a_successor_shuts_its_predecessor_out(client: AIOKafkaClient) -> None:
    first = FencedChangelog(Appends(client), "fence", CHANGELOG, 0, "first")
    second = FencedChangelog(Appends(client), "fence", CHANGELOG, 0, "second")
    start = await first.acquire()
    assert await first.append([(b"a", b"1"), (b"b", b"2")]) == start + 2
    taken = await second.acquire()
    assert taken == start + 3
    assert second.epoch > first.epoch
    with pytest.raises(OwnershipLostError, match="has another owner"):
        await first.append([(b"a", b"zombie")])
    assert await second.append([(b"a", b"3")]) == taken + 1


async def test_an_owner_renews_its_epoch_before_the_broker_forgets_it(
    client: AIOKafkaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = FencedChangelog(Appends(client), "renew", CHANGELOG, 0, "owner")
    start = await owner.acquire()
    epoch = owner.epoch
    monkeypatch.setattr(fenced_changelog, "RENEW_AFTER_S", -1.0)
    assert await owner.append([(b"a", b"1")]) == start + 2  # an ownership record lies between
    assert owner.epoch > epoch


async def test_owners_of_other_partitions_are_left_alone(client: AIOKafkaClient) -> None:
    left = FencedChangelog(Appends(client), "fence", CHANGELOG, 1, "left")
    right = FencedChangelog(Appends(client), "fence", CHANGELOG, 2, "right")
    await left.acquire()
    await right.acquire()
    await left.append([(b"a", b"1")])


async def test_a_store_is_brought_to_the_end_of_its_changelog(
    client: AIOKafkaClient, own_settings: Settings
) -> None:
    changelog = FencedChangelog(Appends(client), "restore", CHANGELOG, 3, "owner")
    await changelog.acquire()
    await changelog.append([(f"k{index}".encode(), b"old") for index in range(1_000)])
    await changelog.append([(b"k0", None), (b"k1", b"new")])
    end = await changelog.acquire()
    place = TopicPartition(CHANGELOG, 3)
    store = DictStore()
    await restore(own_settings, {place: Target(store, end)})
    assert store.at == end
    assert store.get(b"k0") is None
    assert store.get(b"k1") == b"new"
    assert store.get(b"k999") == b"old"
    assert OWNER in store.entries
    await changelog.append([(b"k2", b"newer")])
    again = await changelog.acquire()
    assert await restore(own_settings, {place: Target(store, again)}) == 2
    assert store.get(b"k2") == b"newer"


@pytest.mark.parametrize(("ahead", "age_ms"), [(1_000, 0), (-2, 2 * MAX_AGE_MS)])
async def test_a_store_of_another_life_is_emptied_first(
    client: AIOKafkaClient, own_settings: Settings, ahead: int, age_ms: int
) -> None:
    changelog = FencedChangelog(Appends(client), "ahead", CHANGELOG, 3, "owner")
    await changelog.acquire()
    end = await changelog.acquire()
    store = DictStore()
    store.write([(b"of another life", b"1")], end + ahead)
    store.time -= age_ms
    await restore(own_settings, {TopicPartition(CHANGELOG, 3): Target(store, end)})
    assert store.at == end
    assert store.get(b"of another life") is None


async def test_outputs_go_where_the_platform_s_partitioner_sends_them_in_order(
    own_settings: Settings,
) -> None:
    publisher = KafkaPublisher(own_settings, "test")
    await publisher.start()
    topic = DEAD_LETTERS["sink"].name
    big = b"x" * 400_000  # three do not fit into one record batch
    largest = Output(topic, b"key", b"7" * 1_100_000)
    outputs = [Output(topic, b"key", str(index).encode() + big, (("n", b"1"),)) for index in range(7)]
    spread = [Output(CART_UPDATED.name, f"spread-{index}".encode(), b"") for index in range(50)]
    await publisher.publish([*outputs, largest, *spread])
    await publisher.stop()
    consumer = AIOKafkaConsumer(
        topic,
        CART_UPDATED.name,
        **aiokafka_options(own_settings),
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(**aiokafka_options(own_settings))
    await consumer.start()
    await producer.start()
    await producer.partitions_for(CART_UPDATED.name)
    try:
        letters: list[bytes] = []
        while len(letters) <= len(outputs):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    if record.topic == topic:
                        letters.append(record.value[:1])
                    elif record.key.startswith(b"spread-"):
                        theirs = producer._partition(record.topic, None, None, None, record.key, None)
                        assert record.partition == theirs
        assert letters == [str(index).encode() for index in range(8)]
    finally:
        await consumer.stop()
        await producer.stop()


async def test_a_poisoned_record_is_dead_lettered_and_the_stream_goes_on(
    workers: Workers, own_settings: Settings
) -> None:
    producer = AIOKafkaProducer(**aiokafka_options(own_settings))
    await producer.start()
    await producer.send_and_wait(CART_ADD.name, b"\x00\x00poison", key=b"poison-0", headers=[("h", b"1")])
    await producer.stop()
    await feed(own_settings, 3, 1, "poison")
    worker = workers.start()
    await asyncio.to_thread(worker.wait_ready)
    await eventually_async(lambda: distinct(own_settings, "poison"), lambda have: have == 3)
    consumer = AIOKafkaConsumer(
        DEAD_LETTERS["cart"].name,
        **aiokafka_options(own_settings),
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        letter = await asyncio.wait_for(consumer.getone(), 20)
    finally:
        await consumer.stop()
    headers = dict(letter.headers)
    assert (letter.key, letter.value) == (b"poison-0", b"\x00\x00poison")
    assert headers["reason"] == b"undecodable"
    assert headers["source_topic"] == CART_ADD.name.encode()
    assert (headers["consumer"], headers["attempt"], headers["h"]) == (b"toy", b"1", b"1")
