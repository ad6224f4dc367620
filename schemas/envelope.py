"""The envelope around every event and command, and the identities derived from it.

`event_id` is deterministic for everything that the dataflow produces: UUIDv5 of the causing message, the
output's topic and the position among the outputs, so that a duplicate is recognisable anywhere downstream.
"""

from functools import lru_cache
from hashlib import sha1
from typing import Generic, TypeVar
from uuid import NAMESPACE_URL, uuid5

import msgspec
from uuid6 import uuid7

D_co = TypeVar("D_co", bound=msgspec.Struct, covariant=True)

_UUID_BYTES = 16
_RFC_VARIANT = {digit: f"{int(digit, 16) & 0x3 | 0x8:x}" for digit in "0123456789abcdef"}

NAMESPACE = uuid5(NAMESPACE_URL, "urn:ecommerce")


class Message(msgspec.Struct, Generic[D_co], frozen=True, kw_only=True):
    """One record of a topic: the envelope's fields, then the topic's own `data`.

    `aggregate_version` is the aggregate's version after the change (0 for commands). `occurred_at` is in
    milliseconds since the epoch, UTC.
    """

    event_id: str
    event_type: str
    aggregate_id: str
    aggregate_type: str
    aggregate_version: int
    occurred_at: int
    source: str
    correlation_id: str
    causation_id: str | None = None
    tenant_id: str = "main"
    user_id: str | None = None
    data: D_co


def fresh_id() -> str:
    """Return a new UUIDv7: sortable by the time it was made."""
    return str(uuid7())


def derived_id(*parts: str) -> str:
    """Return the UUIDv5 of the given parts: the same parts give the same id, everywhere."""
    return str(uuid5(NAMESPACE, "\x1f".join(parts)))


def output_id(cause: str, topic: str, index: int) -> str:
    """Return the id of a message's output: UUIDv5 of (causing message id, output topic and index).

    The topic is part of it because several flows answer one event, and a repeated command may get another
    answer than at first: messages that differ must not share an id.
    The same as `uuid5(UUID(cause), f"{topic}:{index}")`. Raises ValueError where `cause` is no UUID.
    """
    return named_id(namespace_of(cause), topic, index)


def namespace_of(cause: str) -> bytes:
    """Return the namespace of a message's outputs, once for all of them. Raises ValueError for no UUID."""
    namespace = bytes.fromhex(cause.replace("-", ""))
    if len(namespace) != _UUID_BYTES:
        raise ValueError(f"{cause!r} is no UUID")
    return namespace


def named_id(namespace: bytes, topic: str, index: int) -> str:
    """Return `output_id` at a fourth of uuid5's time: one is made for every output."""
    name = sha1(namespace + _output_name(topic, index), usedforsecurity=False).hexdigest()
    variant = _RFC_VARIANT[name[16]]
    return f"{name[:8]}-{name[8:12]}-5{name[13:16]}-{variant}{name[17:20]}-{name[20:32]}"


@lru_cache(maxsize=1024)
def _output_name(topic: str, index: int) -> bytes:
    return f"{topic}:{index}".encode()
