"""The declaration of a table: a keyed state record, its parts if any, and how they are kept as bytes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, get_args, get_origin

import msgspec

from tables.parts import Parts
from topics.topic import RawTopic, changelog

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True)
class Table(Generic[S]):
    """A table of `record` values by key, co-partitioned with its inputs and backed by `changelog`.

    Records are kept as MessagePack; fields that are added later need defaults, so that older bytes decode.
    `parts` names the record's field of `Parts`, if it has one: those are entries of their own.
    """

    name: str
    record: type[S]
    parts: str | None = None

    @property
    def changelog(self) -> RawTopic:
        """Return the topic from which the table is restored."""
        return changelog(self.name)

    @cached_property
    def _encoder(self) -> msgspec.msgpack.Encoder:
        return msgspec.msgpack.Encoder(enc_hook=_plain)

    @cached_property
    def _decoder(self) -> msgspec.msgpack.Decoder[S]:
        return msgspec.msgpack.Decoder(self.record, dec_hook=_counted)

    @cached_property
    def _part_decoder(self) -> msgspec.msgpack.Decoder[Any]:
        (kind,) = [field.type for field in msgspec.structs.fields(self.record) if field.name == self.parts]
        return msgspec.msgpack.Decoder(*get_args(kind))

    def encode(self, state: S) -> bytes:
        """Return the bytes of a state without its parts."""
        return self._encoder.encode(state)

    def decode(self, value: bytes) -> S:
        """Return the state; raises `msgspec.DecodeError` where the bytes are not of this record."""
        return self._decoder.decode(value)

    def parts_of(self, state: S) -> Parts[Any]:
        """Return the state's parts; none where the table has no such field."""
        return _NO_PARTS if self.parts is None else getattr(state, self.parts)

    def encode_part(self, part: Any) -> bytes:
        """Return a part's bytes."""
        return self._encoder.encode(part)

    def decode_part(self, value: bytes) -> Any:
        """Return the part; raises `msgspec.DecodeError` where the bytes are not of one."""
        return self._part_decoder.decode(value)


_NO_PARTS: Parts[Any] = Parts()


def _plain(value: Any) -> Any:
    if isinstance(value, Parts):
        return len(value)
    raise NotImplementedError(f"a {type(value).__name__} is nothing that a table keeps")


def _counted(kind: Any, value: Any) -> Any:
    if get_origin(kind) is Parts:
        return Parts(value)
    raise NotImplementedError(f"{kind!r} is nothing that a table keeps")
