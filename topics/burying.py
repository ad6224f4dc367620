"""Sending a dead letter so that what a record holds cannot stop it."""

from collections.abc import Mapping
from typing import Protocol

from aiokafka.errors import MessageSizeTooLargeError

from topics.dead_letter import VALUE_OMITTED, Headers, sealed
from topics.producer import MessageProducer
from topics.topic import RawTopic


class Buried(Protocol):
    """What is taken of a record."""

    @property
    def key(self) -> bytes | None:
        """Its key."""

    @property
    def value(self) -> bytes | None:
        """Its value."""

    @property
    def headers(self) -> Headers:
        """Its own headers."""


async def bury(producer: MessageProducer, topic: RawTopic, record: Buried, told: Mapping[str, str]) -> None:
    """Send a record's letter, with the headers `told`, and wait until the broker has it.

    Where this broker takes less than others, the letter has no content: the source still has the bytes.
    Raises aiokafka.errors.KafkaError where the broker does not take even that.
    """
    letter = sealed(record.key, record.value, record.headers, told)
    try:
        await (await producer.send_raw(topic, *letter))
    except MessageSizeTooLargeError:
        bare = sealed(None, None, (), {**told, VALUE_OMITTED: str(len(record.value or b""))})
        await (await producer.send_raw(topic, *bare))
