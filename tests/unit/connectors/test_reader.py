"""What a sink's reader hands on while partitions leave and come back."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import pytest
from aiokafka import TopicPartition
from confluent_kafka import TopicPartition as Place

from connectors.runtime import consumer
from connectors.runtime.consumer import KafkaReader
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

    def poll(self, _wait_s: float) -> Message:
        self._told["on_lost"](self, [PLACE])
        self._told["on_assign"](self, [PLACE])
        return Message()

    def consume(self, _most: int, _wait_s: float) -> list[Message]:
        return []

    def incremental_assign(self, places: list[Place]) -> None: ...
    def incremental_unassign(self, places: list[Place]) -> None: ...


class Owner:
    async def gained(self, partitions: Collection[TopicPartition]) -> None: ...
    async def yielded(self, partitions: Collection[TopicPartition], *, lost: bool) -> None: ...


async def test_what_is_read_of_a_partition_that_came_back_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "Consumer", Member)
    reader = KafkaReader(Settings(), "test", Owner(), topics=["orders"], group="test")
    batch = await asyncio.wait_for(reader.fetch(1.0, 10), 30)
    assert [record.offset for record in batch.records] == [7]
