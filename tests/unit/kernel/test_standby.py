"""The follower of changelogs over a fake consumer: what it applies, waits for, empties and renews."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from aiokafka.errors import KafkaConnectionError, OffsetOutOfRangeError
from aiokafka.structs import TopicPartition
from prometheus_client import CollectorRegistry

from streams.kernel import standby
from streams.kernel.meters import Meters
from streams.kernel.ports import Entry
from streams.kernel.restore import MAX_AGE_MS
from streams.kernel.standby import Standby
from tests.eventually import eventually_async
from topics.settings import Settings

ONE, TWO = TopicPartition("changelog", 0), TopicPartition("changelog", 1)


class DictStore:
    def __init__(self) -> None:
        self.entries: dict[bytes, bytes | None] = {}
        self.at: int | None = None
        self.time = 0

    def get(self, key: bytes) -> bytes | None:
        return self.entries.get(key)

    def write(self, entries: Sequence[Entry], offset: int | None) -> None:
        self.entries |= dict(entries)
        self.at = offset
        self.time = time.time_ns() // 1_000_000

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        raise NotImplementedError

    def offset(self) -> int | None:
        return self.at

    def written_at(self) -> int:
        return self.time

    def clear(self) -> None:
        self.entries, self.at = {}, None


class Broker:
    """Changelogs, and consumers of them that read a record a call; `errors` are raised one by one first."""

    def __init__(self) -> None:
        self.logs: dict[TopicPartition, list[bytes]] = {ONE: [], TWO: []}
        self.errors: list[Exception] = []
        self.open = 0

    def consumer(self, *_: Any, **__: Any) -> "FakeConsumer":
        return FakeConsumer(self)


class FakeConsumer:
    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.positions: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        self.broker.open += 1

    async def stop(self) -> None:
        self.broker.open -= 1

    async def beginning_offsets(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    async def end_offsets(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        if self.broker.errors:
            raise self.broker.errors.pop(0)
        return {place: len(self.broker.logs[place]) for place in places}

    def assign(self, places: Sequence[TopicPartition]) -> None:
        self.positions = dict.fromkeys(places, -1)

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.positions[place] = offset

    def highwater(self, place: TopicPartition) -> int:
        return len(self.broker.logs[place])

    async def position(self, place: TopicPartition) -> int:
        return self.positions[place]

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(0)
        for place, position in self.positions.items():
            log = self.broker.logs[place]
            if position > len(log):
                raise OffsetOutOfRangeError({place: position})
            if position < len(log):
                self.positions[place] += 1
                return {place: [SimpleNamespace(key=log[position], value=b"1", offset=position)]}
        return {}


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(standby, "reader_async", broker.consumer)
    monkeypatch.setattr(standby, "keep_fetch_sessions", lambda _: None)
    monkeypatch.setattr(standby, "FIRST_PAUSE_S", 0.0)
    return broker


@pytest.fixture
async def following(broker: Broker) -> AsyncIterator["Following"]:
    following = Following()
    yield following
    await following.standby.stop()
    assert broker.open == 0


class Following:
    """A standby, what it has failed with, and what it tells."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.failures: list[Exception] = []
        self.standby = Standby(
            Settings(kafka="b:1"), {"changelog": "toy"}, Meters(self.registry), self.failures.append
        )

    def told(self, name: str) -> float | None:
        return self.registry.get_sample_value(f"ecommerce_stream_standby_{name}", {"flow": "toy"})


async def until(condition: Any) -> None:
    async def read() -> bool:
        return bool(condition())

    await eventually_async(read, seconds=5)


async def test_stores_follow_until_they_are_wanted_back(broker: Broker, following: Following) -> None:
    one, two = DictStore(), DictStore()
    broker.logs[ONE] = [b"a", b"b"]
    await following.standby.follow({ONE: one, TWO: two})
    await until(lambda: one.at == 1)
    broker.logs[TWO].append(b"c")
    await until(lambda: two.at == 0 and following.told("behind_records") == 0)
    assert (following.told("partitions"), following.told("records_total")) == (2, 3)
    await following.standby.stop()
    broker.logs[TWO].append(b"d")
    assert (following.standby.followed, following.told("partitions"), broker.open) == (0, 0, 0)
    await following.standby.follow({TWO: two})
    await until(lambda: two.at == 1)
    assert one.at == 1
    assert set(two.entries) == {b"c", b"d"}


async def test_a_broker_that_is_away_is_waited_for(broker: Broker, following: Following) -> None:
    store = DictStore()
    broker.logs[ONE] = [b"a"]
    broker.errors = [KafkaConnectionError("away"), KafkaConnectionError("still away")]
    await following.standby.follow({ONE: store})
    await until(lambda: store.at == 0)
    assert following.failures == []
    assert broker.open == 1


@pytest.mark.parametrize(("at", "age_ms"), [(7, 0), (0, 2 * MAX_AGE_MS)])
async def test_a_store_of_another_life_is_emptied(
    broker: Broker, following: Following, at: int, age_ms: int
) -> None:
    store = DictStore()
    store.write([(b"of another life", b"1")], at)
    store.time -= age_ms
    broker.logs[ONE] = [b"a", b"b"]
    await following.standby.follow({ONE: store})
    await until(lambda: store.at == 1)
    assert set(store.entries) == {b"a", b"b"}


async def test_a_changelog_that_is_made_anew_meanwhile_is_read_anew(
    broker: Broker, following: Following
) -> None:
    store = DictStore()
    broker.logs[ONE] = [b"a", b"b", b"c"]
    await following.standby.follow({ONE: store})
    await until(lambda: store.at == 2)
    broker.logs[ONE] = [b"z"]
    await until(lambda: store.at == 0)
    assert set(store.entries) == {b"z"}
    assert following.failures == []


async def test_state_at_rest_grows_no_older_while_the_broker_answers(
    broker: Broker, following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standby, "RENEW_S", 0.0)
    store = DictStore()
    broker.logs[ONE] = [b"a"]
    await following.standby.follow({ONE: store})
    await until(lambda: store.at == 0)
    store.time = 0
    await until(lambda: store.time > 0)
    assert store.at == 0


async def test_a_disk_that_fails_is_told_once(
    broker: Broker, following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DictStore()
    monkeypatch.setattr(store, "write", Mock(side_effect=OSError("No space left on device")))
    broker.logs[ONE] = [b"a"]
    await following.standby.follow({ONE: store})
    await until(lambda: following.failures)
    await until(lambda: broker.open == 0)
    assert [str(failure) for failure in following.failures] == ["No space left on device"]
