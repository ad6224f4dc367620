"""Partitions that go to another member amid a write: first the write, then the commit, then they go."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition

from connectors.runtime import connector as module
from connectors.runtime.connector import SinkConnector
from connectors.runtime.consumer import Batch
from connectors.runtime.projection import Projection
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry
from schemas.envelope import Message
from tests.eventually import eventually_seen
from tests.topology.kernel.toy import pieces
from tests.unit.connectors.test_connector_start import LETTERS, SETTINGS
from topics.command import command
from topics.registry import CART_ADD
from topics.wire import encode

PLACE = TopicPartition(CART_ADD.name, 0)
OTHER = TopicPartition(CART_ADD.name, 1)


def rows(message: Message[Any]) -> tuple[str, ...]:
    return (message.aggregate_id,)


class Reader:
    """Gives one batch, then nothing; notes in `log` what is committed, and when."""

    log: list[str]

    def __init__(self, *_: object, **__: object) -> None:
        self.assignment = frozenset({PLACE, OTHER})
        self.ends: Mapping[TopicPartition, int] = {}
        self.paused = False
        self._given = False

    def fetch(self, _wait_s: float, _most: int) -> "asyncio.Future[Batch]":
        future: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()
        if not self._given:
            self._given = True
            batch = Batch()
            value = encode(CART_ADD, command(CART_ADD, "c", pieces(1)))
            batch.records = [
                Record(CART_ADD.name, place.partition, offset, 0, b"c", value)
                for place in (PLACE, OTHER)
                for offset in range(3)
            ]
            future.set_result(batch)
        self._waiting = future
        return future

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.log += [f"committed {partition} {offset}" for (_, partition), offset in sorted(offsets.items())]

    def resume(self) -> None: ...

    def pause(self) -> None: ...

    def hurry(self) -> None:
        if not self._waiting.done():
            self._waiting.set_result(Batch())

    async def close(self) -> None: ...


class Gated:
    """A server that takes a batch when its gate is opened."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()

    async def write(self, batch: Sequence[Entry[str]]) -> Sequence[Any]:
        self.asked.set()
        await self.gate.wait()
        self.log.append(f"wrote {len(batch)}")
        return ()

    async def close(self) -> None: ...


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(module, "KafkaReader", type("Noting", (Reader,), {"log": said}))
    return said


async def test_a_batch_under_way_is_written_before_its_partition_is_committed_and_let_go(
    log: list[str],
) -> None:
    sink = Gated(log)
    projections = (Projection(CART_ADD, rows, ("names",)),)
    connector: SinkConnector[str] = SinkConnector(
        "test", projections, sink, LETTERS, SETTINGS, group="ecommerce.test"
    )
    running = asyncio.create_task(connector.run())
    await sink.asked.wait()
    yielding = asyncio.create_task(connector.yielded([PLACE], lost=False))
    await asyncio.sleep(0)
    assert not yielding.done()
    assert log == []
    sink.gate.set()
    await yielding
    assert log == ["wrote 6", "committed 0 3", "committed 1 3"]
    connector.stop()
    await running


async def test_a_partition_that_was_lost_is_not_committed(log: list[str]) -> None:
    sink = Gated(log)
    connector: SinkConnector[str] = SinkConnector(
        "test", (Projection(CART_ADD, rows, ("names",)),), sink, LETTERS, SETTINGS, group="ecommerce.test"
    )
    running = asyncio.create_task(connector.run())
    await sink.asked.wait()
    await connector.yielded([PLACE], lost=True)
    sink.gate.set()
    await eventually_seen(lambda: "committed 1 3" in log)
    assert "committed 0 3" not in log
    connector.stop()
    await running
