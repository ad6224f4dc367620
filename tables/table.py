"""The declaration of a table: a keyed state record, and how it is kept as bytes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, get_args, get_origin

import msgspec
from immutables import Map

from topics.topic import RawTopic, changelog

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True)
class Table(Generic[S]):
    """A table of `record` values by key, co-partitioned with its inputs and backed by `changelog`.

    Records are kept as MessagePack, persistent maps as plain ones; fields that are added later need defaults,
    so that older bytes decode.
    """

    name: str
    record: type[S]

    @property
    def changelog(self) -> RawTopic:
        """Return the topic from which the table is restored."""
        return changelog(self.name)

    @cached_property
    def _encoder(self) -> msgspec.msgpack.Encoder:
        return msgspec.msgpack.Encoder(enc_hook=_plain)

    @cached_property
    def _decoder(self) -> msgspec.msgpack.Decoder[S]:
        return msgspec.msgpack.Decoder(self.record, dec_hook=_persistent)

    def encode(self, state: S) -> bytes:
        """Return the state's bytes."""
        return self._encoder.encode(state)

    def decode(self, value: bytes) -> S:
        """Return the state; raises `msgspec.DecodeError` where the bytes are not of this record."""
        return self._decoder.decode(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Map):
        return dict(value)
    raise NotImplementedError(f"a {type(value).__name__} is nothing that a table keeps")


def _persistent(kind: Any, value: Any) -> Any:
    if get_origin(kind) is Map:
        key, item = get_args(kind)
        return Map(msgspec.convert(value, dict[key, item]))  # type: ignore[valid-type] # known at run time
    raise NotImplementedError(f"{kind!r} is nothing that a table keeps")
