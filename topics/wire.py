"""A topic's messages as bytes, and back: the registry's binding of topic and schema."""

from typing import TypeVar

import msgspec

from schemas import codec
from schemas.envelope import Message
from topics.topic import Topic

D = TypeVar("D", bound=msgspec.Struct)


def encode(topic: Topic[D], message: Message[D]) -> bytes:
    """Return the message in Confluent wire format. Raises ValueError where it does not fit the schema."""
    return codec.encode(topic.name, message)


def decode(topic: Topic[D], value: bytes) -> Message[D]:
    """Return the typed message. Raises `schemas.codec.UndecodableError` with the rule that is broken."""
    return codec.decode(topic.name, topic.data, value)
