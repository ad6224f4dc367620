"""One destination partition under errors: what is sent again, under which identity and sequence."""

import asyncio
import struct
from collections.abc import Callable, Sequence
from typing import Any, cast

import aiokafka.errors as kafka_errors
import pytest
from aiokafka.structs import TopicPartition

from streams.kernel import outgoing as module
from streams.kernel.appends import Appends
from streams.kernel.identity import Identity
from streams.kernel.outgoing import Outgoing
from streams.kernel.ports import Output

PLACE = TopicPartition("topic", 0)

Sent = tuple[int, int, int]
"""A batch's producer id, its first sequence and how many records it has."""


class Broker:
    """Answers appends with the errors that are given, then with success."""

    def __init__(self, *errors: Exception | None) -> None:
        self._errors = list(errors)
        self.sent: list[Sent] = []
        self.updates = 0
        self.end = 0
        self.client = self
        self.answer = asyncio.Event()
        self.answer.set()

    def submit(self, _place: TopicPartition, batch: bytes) -> "asyncio.Future[int]":
        return asyncio.ensure_future(self._append(batch))

    async def _append(self, batch: bytes) -> int:
        count: int
        producer_id, _epoch, sequence, count = struct.unpack_from(">qhii", batch, 43)
        self.sent.append((producer_id, sequence, count))
        await self.answer.wait()
        if self._errors and (error := self._errors.pop(0)):
            raise error
        self.end += count
        return self.end - count

    async def force_metadata_update(self) -> None:
        self.updates += 1


class Producer:
    """The publisher's side: an identity that `renew` replaces."""

    def __init__(self) -> None:
        self.identity = Identity(7, 0)

    async def renew(self, failed: Identity) -> None:
        assert failed == self.identity
        self.identity = Identity(failed.producer_id + 1, 0)


def outputs(count: int, size: int = 1) -> Sequence[Output]:
    return [Output("topic", b"k", b"v" * size) for _ in range(count)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_BACKOFF_S", 0.0)


@pytest.fixture
def outgoing_to() -> Callable[[Broker], Outgoing]:
    producer = Producer()
    return lambda broker: Outgoing(
        PLACE, cast("Appends", cast("Any", broker)), lambda: producer.identity, producer.renew
    )


Make = Callable[[Broker], Outgoing]


async def test_what_waits_meanwhile_is_one_batch(outgoing_to: Make) -> None:
    broker = Broker()
    outgoing = outgoing_to(broker)
    broker.answer.clear()
    first = outgoing.put(outputs(1))
    await asyncio.sleep(0)
    rest = [outgoing.put(outputs(2)), outgoing.put(outputs(3))]
    broker.answer.set()
    await asyncio.gather(first, *rest)
    assert broker.sent == [(7, 0, 1), (7, 1, 5)]


async def test_a_batch_has_no_more_than_the_broker_takes(outgoing_to: Make) -> None:
    broker = Broker()
    await outgoing_to(broker).put(outputs(3, size=400_000))
    assert [(sequence, count) for _, sequence, count in broker.sent] == [(0, 2), (2, 1)]


async def test_without_an_answer_the_same_sequence_is_sent_again(outgoing_to: Make) -> None:
    broker = Broker(kafka_errors.RequestTimedOutError())
    outgoing = outgoing_to(broker)
    await outgoing.put(outputs(2))
    await outgoing.put(outputs(1))
    assert broker.sent == [(7, 0, 2), (7, 0, 2), (7, 2, 1)]
    assert broker.updates == 1


async def test_what_the_broker_has_already_counts_as_sent(outgoing_to: Make) -> None:
    broker = Broker(kafka_errors.RequestTimedOutError(), kafka_errors.DuplicateSequenceNumber())
    outgoing = outgoing_to(broker)
    await outgoing.put(outputs(2))
    await outgoing.put(outputs(1))
    assert broker.sent[-1] == (7, 2, 1)


async def test_an_identity_that_cannot_go_on_is_replaced(outgoing_to: Make) -> None:
    broker = Broker(None, kafka_errors.OutOfOrderSequenceNumber())
    outgoing = outgoing_to(broker)
    await outgoing.put(outputs(2))
    await outgoing.put(outputs(1))
    assert broker.sent == [(7, 0, 2), (7, 2, 1), (8, 0, 1)]


async def test_what_is_not_answered_when_it_closes_fails(outgoing_to: Make) -> None:
    broker = Broker()
    broker.answer.clear()
    outgoing = outgoing_to(broker)
    first = outgoing.put(outputs(1))
    await asyncio.sleep(0)
    second = outgoing.put(outputs(1))
    await outgoing.close()
    for each in (first, second):
        with pytest.raises(kafka_errors.ProducerClosed):
            await each


async def test_what_is_no_record_is_told_to_who_sends_it(outgoing_to: Make) -> None:
    outgoing = outgoing_to(Broker())
    with pytest.raises(TypeError):
        await outgoing.put([Output("topic", cast("bytes", "text"), b"")])
    await outgoing.put(outputs(1))


async def test_what_the_broker_has_is_handed_over_with_its_offset_and_nothing_before() -> None:
    told: list[tuple[str, int, int, int]] = []
    broker = Broker(kafka_errors.RequestTimedOutError(), None, kafka_errors.DuplicateSequenceNumber())
    producer = Producer()
    outgoing = Outgoing(
        PLACE,
        cast("Appends", cast("Any", broker)),
        lambda: producer.identity,
        producer.renew,
        lambda topic, partition, first, sent: told.append((topic, partition, first, len(sent))),
    )
    broker.answer.clear()
    sent = outgoing.put(outputs(2))
    await asyncio.sleep(0)
    assert told == []
    broker.answer.set()
    await sent
    await outgoing.put(outputs(1))
    await outgoing.put(outputs(3))
    assert told == [("topic", 0, 0, 2), ("topic", 0, -1, 1), ("topic", 0, 2, 3)]
