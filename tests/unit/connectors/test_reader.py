"""What a sink's reader hands on and commits while partitions leave and come back."""

import asyncio
import threading
from collections.abc import Callable, Collection
from typing import Any

import pytest
from aiokafka import TopicPartition
from confluent_kafka import TopicPartition as Place

from connectors.runtime.client_thread import ClientThread
from connectors.runtime.consumer import KafkaReader
from topics import consumers
from topics.settings import Settings

PLACE = Place("orders", 0)


class Message:
    def error(self) -> None: ...
    def headers(self) -> None: ...
    def topic(self) -> str:
        return "orders"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7

    def timestamp(self) -> tuple[int, int]:
        return 1, 1

    def key(self) -> bytes:
        return b"key"

    def value(self) -> bytes:
        return b"value"


class Member:
    """A consumer whose session has ended: one poll tells so, gives the partition back, and reads on."""

    def __init__(self, _config: dict[str, Any]) -> None:
        self._told: dict[str, Callable[..., None]] = {}

    def subscribe(self, _topics: list[str], **told: Callable[..., None]) -> None:
        self._told = told

    def poll(self, _wait_s: float) -> Message | None:
        self._told["on_lost"](self, [PLACE])
        self._told["on_assign"](self, [PLACE])
        return Message()

    def consume(self, _most: int, _wait_s: float) -> list[Message]:
        return []

    def pause(self, places: list[Place]) -> None: ...
    def resume(self, places: list[Place]) -> None: ...
    def incremental_assign(self, places: list[Place]) -> None: ...
    def incremental_unassign(self, places: list[Place]) -> None: ...


class Owner:
    async def gained(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 7)

    def mark(self, topic: str) -> str:
        return f"topic={topic}-id"

    async def yielded(self, partitions: Collection[TopicPartition], *, lost: bool) -> None: ...


async def test_what_is_read_of_a_partition_that_came_back_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "Consumer", Member)
    reader = KafkaReader(Settings(), "test", Owner(), topics=["orders"], group="test")
    batch = await asyncio.wait_for(reader.fetch(1.0, 10), 30)
    assert [record.offset for record in batch.records] == [7]


class Rejoiner(Member):
    """A consumer whose polls give, take and give its partition; a pause outlives that."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.paused = False
        self._turns = ["on_assign", "on_revoke", "on_assign"]

    def poll(self, _wait_s: float) -> None:
        self._told[self._turns.pop(0)](self, [PLACE])

    def pause(self, places: list[Place]) -> None:
        self.paused = self.paused or bool(places)

    def resume(self, places: list[Place]) -> None:
        self.paused = self.paused and not places


async def test_a_partition_that_left_while_paused_is_read_when_it_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    members: list[Rejoiner] = []

    def member(config: dict[str, Any]) -> Rejoiner:
        members.append(Rejoiner(config))
        return members[0]

    monkeypatch.setattr(consumers, "Consumer", member)
    reader = KafkaReader(Settings(), "test", Owner(), topics=["orders"], group="test")
    await asyncio.wait_for(reader.fetch(0.0, 10), 30)
    reader.pause()
    await asyncio.wait_for(reader.fetch(0.0, 10), 30)
    assert members[0].paused
    reader.resume()
    await asyncio.wait_for(reader.fetch(0.0, 10), 30)
    assert not members[0].paused


class Leaver(Member):
    """A consumer that loses its partition in a poll; it serves one call at a time, as the real one does."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.calls: list[str] = []
        self.polling: int | None = None

    def poll(self, _wait_s: float) -> None:
        self.polling = threading.get_ident()
        if not self.calls:
            self.calls.append("revoked")
            self._told["on_revoke"](self, [PLACE])
        self.polling = None

    def commit(self, offsets: list[Place], asynchronous: bool) -> list[Place]:  # noqa: FBT001 # the client's
        assert not asynchronous
        assert self.polling in (None, threading.get_ident()), "another thread's call would wait for the poll"
        self.calls.append(f"committed {offsets[0].offset}")
        return offsets

    def incremental_unassign(self, places: list[Place]) -> None:
        self.calls.append(f"unassigned {len(places)}")


async def test_what_is_written_is_committed_before_the_partition_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    members: list[Leaver] = []

    def member(config: dict[str, Any]) -> Leaver:
        members.append(Leaver(config))
        return members[0]

    class Writer(Owner):
        async def yielded(self, partitions: Collection[TopicPartition], *, lost: bool) -> None:
            assert not lost
            await reader.commit(dict.fromkeys(partitions, 8))

    monkeypatch.setattr(consumers, "Consumer", member)
    reader = KafkaReader(Settings(), "test", Writer(), topics=["orders"], group="test")
    await asyncio.wait_for(reader.fetch(0.0, 10), 30)
    await reader.commit({TopicPartition("orders", 1): 9})
    assert members[0].calls == ["revoked", "committed 8", "unassigned 1", "committed 9"]


async def test_whoever_asks_the_clients_thread_is_told_what_came_of_it() -> None:
    thread = ClientThread("test")
    assert await thread.between(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await thread.between(lambda: 1 // 0)
    busy = threading.Event()
    running = thread.run(busy.wait)
    late = asyncio.create_task(thread.between(lambda: pytest.fail("nobody wants it any more")))
    await asyncio.sleep(0)
    late.cancel()
    busy.set()
    assert await running
    assert await thread.between(lambda: "next") == "next"
    thread.close()
