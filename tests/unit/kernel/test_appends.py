"""Batches that wait for the broker go together; one that comes alone goes at once."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaConnectionError,
    LeaderNotAvailableError,
    RequestTimedOutError,
)
from aiokafka.structs import TopicPartition

from streams.kernel import appends
from streams.kernel.appends import Appends

FENCED = InvalidProducerEpoch.errno
A, B, C = (TopicPartition("log", number) for number in range(3))


class Broker:
    """Answers a request when it is told to; `errors` are codes by partition."""

    def __init__(self) -> None:
        self.cluster = SimpleNamespace(leader_for_partition=lambda place: -1 if place.partition > 7 else 1)
        self.asked: list[dict[int, bytes]] = []
        self.errors: dict[int, int] = {}
        self.failure: Exception | None = None
        self.go = asyncio.Semaphore(0)

    async def send(self, _leader: int, request: Any) -> Any:
        ((topic, partitions),) = request._topics
        self.asked.append(dict(partitions))
        await self.go.acquire()
        if self.failure:
            raise self.failure
        answers = [(number, self.errors.get(number, 0), 100 + number, -1) for number, _ in partitions]
        return SimpleNamespace(topics=[(topic, answers)])


async def begin(log: Appends, *places: TopicPartition) -> "list[asyncio.Task[int]]":
    tasks = [asyncio.create_task(log.append(place, b"batch")) for place in places]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_a_batch_alone_goes_at_once_and_those_that_wait_go_together() -> None:
    broker = Broker()
    log = Appends(broker)
    first = await begin(log, A)
    assert broker.asked == [{0: b"batch"}]
    rest = await begin(log, B, C)
    assert len(broker.asked) == 1
    for _ in range(2):
        broker.go.release()
    assert await asyncio.gather(*first, *rest) == [100, 101, 102]
    assert broker.asked[1:] == [{1: b"batch", 2: b"batch"}]


async def test_an_error_is_its_partitions_own() -> None:
    broker = Broker()
    broker.errors[1] = FENCED
    tasks = await begin(Appends(broker), A, B)
    broker.go.release()
    good, bad = await asyncio.gather(*tasks, return_exceptions=True)
    assert good == 100
    assert isinstance(bad, InvalidProducerEpoch)


async def test_a_broken_connection_is_everyones_and_the_next_request_goes_out() -> None:
    broker = Broker()
    broker.failure = KafkaConnectionError("broken")
    log = Appends(broker)
    tasks = await begin(log, A, B)
    broker.go.release()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        assert outcome is broker.failure
    broker.failure = None
    broker.go.release()
    assert await log.append(A, b"batch") == 100


async def test_what_a_stopped_lane_had_waiting_is_not_sent() -> None:
    broker = Broker()
    log = Appends(broker)
    (first,) = await begin(log, A)
    stopped, last = await begin(log, B, C)
    stopped.cancel()
    for _ in range(2):
        broker.go.release()
    assert [await first, await last] == [100, 102]
    assert broker.asked[1:] == [{2: b"batch"}]


async def test_a_request_has_a_partition_once_and_is_not_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appends, "MAX_REQUEST_BYTES", 2 * len(b"batch"))
    broker = Broker()
    tasks = await begin(Appends(broker), A, A, A, B, C)
    for _ in tasks:
        broker.go.release()
    await asyncio.gather(*tasks)
    assert [sorted(asked) for asked in broker.asked] == [[0], [0], [0, 1], [2]]


async def test_without_a_leader_there_is_nobody_to_ask() -> None:
    with pytest.raises(LeaderNotAvailableError):
        await Appends(Broker()).append(TopicPartition("log", 8), b"batch")


async def test_a_metadata_update_that_does_not_end_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appends, "METADATA_S", 0.0)
    never = asyncio.get_running_loop().create_future()
    client: Any = SimpleNamespace(force_metadata_update=lambda: asyncio.shield(never))
    await asyncio.wait_for(appends.renew_metadata(client), 10)
    assert not never.done()


async def test_a_request_that_gets_no_answer_is_told_as_timed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appends, "ANSWER_S", 0.0)
    log = Appends(Broker())
    with pytest.raises(RequestTimedOutError):
        await asyncio.wait_for(log.append(A, b"batch"), 10)
