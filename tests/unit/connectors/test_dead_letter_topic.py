"""The sinks' dead letters, with a producer in memory."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError

from connectors.runtime.dead_letters import TOPIC, DeadLetterTopic
from connectors.runtime.record import Record
from connectors.runtime.sink import BatchRefusedError, SinkUnavailableError
from topics.producer import MessageProducer
from topics.registry import DEAD_LETTERS
from topics.topic import RawTopic

RECORD = Record("ecommerce.order.placed", 2, 41, 0, b"k", b"v" * 100, (("traceparent", b"00-1"),))


class Broker:
    def __init__(self, *, largest: int = 10_000, up: bool = True) -> None:
        self.largest = largest
        self.up = up
        self.letters: list[tuple[bytes | None, bytes | None, dict[str, str]]] = []

    async def send_raw(
        self, topic: RawTopic, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> asyncio.Future[Any]:
        assert topic == TOPIC
        assert key is not None or value is not None, "no client sends such a record"
        if len(value or b"") > self.largest:
            raise MessageSizeTooLargeError
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.up:
            self.letters.append((key, value, {name: text.decode() for name, text in headers}))
            answer.set_result(None)
        else:
            answer.set_exception(KafkaConnectionError("down"))
        return answer


def letters_of(broker: Broker) -> DeadLetterTopic:
    return DeadLetterTopic(cast("MessageProducer", broker), "postgres", "ecommerce.sink.postgres")


async def test_a_letter_says_where_the_record_lay_and_why_it_failed() -> None:
    broker = Broker()
    for _ in range(2):
        await letters_of(broker).put(RECORD, "refused", BatchRefusedError("price: too high", "22003"))
    (key, value, headers), (_, _, again) = broker.letters
    assert (key, value) == (b"k", RECORD.value)
    assert {name: headers[name] for name in headers if name not in ("id", "stack", "failed_at")} == {
        "traceparent": "00-1",
        "consumer": "ecommerce.sink.postgres",
        "source_topic": "ecommerce.order.placed",
        "source_partition": "2",
        "source_offset": "41",
        "reason": "refused",
        "attempt": "1",
        "error": "price: too high",
        "target": "postgres",
        "code": "22003",
    }
    assert "BatchRefusedError" in headers["stack"]
    assert headers["id"] == again["id"], "the same record is the same letter"


async def test_bytes_that_are_too_many_stay_where_they_are() -> None:
    broker = Broker(largest=50)
    await letters_of(broker).put(RECORD, "refused", "too long")
    ((_, value, headers),) = broker.letters
    assert value == b""
    assert headers["value_omitted"] == "100"


async def test_a_record_of_nothing_has_a_letter() -> None:
    broker = Broker()
    await letters_of(broker).put(
        Record("ecommerce.order.placed", 2, 41, 0, None, None, ()), "undecodable", "x"
    )
    ((key, value, headers),) = broker.letters
    assert (key, value, headers["source_offset"]) == (None, b"", "41")


async def test_a_letter_about_a_letter_is_not_written() -> None:
    broker = Broker()
    letter = Record(DEAD_LETTERS["cart"].name, 0, 1, 0, None, b"")
    await letters_of(broker).put(letter, "refused", "x")
    assert broker.letters == []


async def test_without_a_broker_the_batch_is_tried_again() -> None:
    with pytest.raises(SinkUnavailableError, match="down"):
        await letters_of(Broker(up=False)).put(RECORD, "refused", "x")
