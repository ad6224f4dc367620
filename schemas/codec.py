"""The Confluent wire format: magic byte 0, a 4-byte big-endian schema id, then the Avro bytes.

Source of the format: Confluent's Schema Registry documentation, "Wire format".
"""

import struct
from functools import cache
from io import BytesIO
from typing import Any, TypeVar

import fastavro
import msgspec

from schemas.avro import Schema, message_schema, without_logical_types
from schemas.decoder import Decoder, compile_decoder
from schemas.drift import drifted, left_out, writes_more
from schemas.encoder import Encoder, compile_encoder
from schemas.envelope import Message
from schemas.lock import Entry, lock

D = TypeVar("D", bound=msgspec.Struct)

_HEADER = struct.Struct(">bI")
_MAGIC = 0

UNFIT = (AttributeError, KeyError, TypeError, ValueError, OverflowError, struct.error)
"""What a compiled encoder raises for a message that does not fit its schema."""


class UndecodableError(ValueError):
    """A record's bytes are not a message of its topic; the text says which rule they break."""


@cache
def _parsed(schema_id: int) -> Any:
    """Return a locked schema as fastavro wants it, times left as ints."""
    return fastavro.parse_schema(without_logical_types(lock().schema(lock().by_id[schema_id])))


@cache
def _writing(topic: str) -> tuple[bytes, Any]:
    """Return the header and the schema that records of the topic are written with."""
    entry = lock().latest(topic)
    return _HEADER.pack(_MAGIC, entry.id), _parsed(entry.id)


@cache
def _encoder(topic: str) -> Encoder:
    return compile_encoder(header(topic), writing_schema(topic))


def header(topic: str) -> bytes:
    """Return what records of the topic begin with: its newest locked schema's id."""
    return _HEADER.pack(_MAGIC, lock().latest(topic).id)


def writing_schema(topic: str) -> Schema:
    """Return the topic's newest locked schema, times as plain longs."""
    schema: Schema = without_logical_types(lock().schema(lock().latest(topic)))
    return schema


@cache
def _decoder(topic: str, data: type[msgspec.Struct]) -> tuple[bytes, Decoder] | None:
    """Return header and decoder of records under the type's own schema, where that is the newest locked."""
    entry = lock().latest(topic)
    if lock().schema(entry) != message_schema(topic, data):
        return None
    return _HEADER.pack(_MAGIC, entry.id), compile_decoder(data)


def encode(topic: str, message: Message[D]) -> bytes:
    """Return the message's bytes under the topic's newest locked schema.

    Raises ValueError where the data does not fit the schema (its types say it does).
    """
    try:
        return _encoder(topic)(message)
    except UNFIT:
        return _encode_generally(topic, message)


def _encode_generally(topic: str, message: Message[D]) -> bytes:
    header, schema = _writing(topic)
    out = BytesIO()
    out.write(header)
    # Tuples are lists here; fastavro would take one inside a union for a hint at the branch.
    fastavro.schemaless_writer(out, schema, msgspec.to_builtins(message), disable_tuple_notation=True)
    return out.getvalue()


@cache
def _writes_more(writer: int, reader: int) -> bool:
    return writes_more(*(lock().schema(lock().by_id[each]) for each in (writer, reader)))


def writer_of(value: bytes) -> Entry:
    """Return the locked schema that wrote `value`. Raises UndecodableError where there is none."""
    if len(value) < _HEADER.size:
        raise UndecodableError(f"value: {len(value)} bytes are too short for the wire format's 5-byte header")
    magic, schema_id = _HEADER.unpack_from(value)
    if magic != _MAGIC:
        raise UndecodableError(f"value: magic byte is {magic}, must be {_MAGIC}")
    try:
        return lock().by_id[schema_id]
    except KeyError:
        raise UndecodableError(f"value: schema id {schema_id} is not in the registry") from None


def decode_fields(value: bytes, reader: int | None = None) -> dict[str, Any]:
    """Return the record as plain fields, read with its writer's schema, resolved to `reader`'s if given.

    Raises UndecodableError.
    """
    entry = writer_of(value)
    stream = BytesIO(value)
    stream.seek(_HEADER.size)
    resolved = _parsed(reader) if reader is not None and reader != entry.id else None
    try:
        fields: dict[str, Any] = fastavro.schemaless_reader(stream, _parsed(entry.id), resolved)  # type: ignore[assignment]
    except Exception as error:
        raise UndecodableError(f"value: not Avro of {entry.subject} v{entry.version}: {error!r}") from error
    if stream.tell() != len(value):
        raise UndecodableError(f"value: {len(value) - stream.tell()} bytes follow the record's end")
    return fields


def decode(topic: str, data: type[D], value: bytes) -> Message[D]:
    """Return the typed message, a `DriftedMessage` where its writer knew fields that the type does not.

    Raises UndecodableError where the bytes are not of this topic.
    """
    compiled = _decoder(topic, data)
    if compiled is not None and value.startswith(compiled[0]):
        try:
            made: Message[D] = compiled[1](value, _HEADER.size)
        except (IndexError, TypeError, ValueError, OverflowError, struct.error):
            # Broken somewhere: the general reader says where.
            return _decode_generally(topic, data, value)
        return made
    return _decode_generally(topic, data, value)


def _decode_generally(topic: str, data: type[D], value: bytes) -> Message[D]:
    entry = writer_of(value)
    if entry.topic != topic:
        raise UndecodableError(f"value: schema id {entry.id} belongs to {entry.topic}, not to {topic}")
    reader = lock().latest(topic).id
    fields = decode_fields(value, reader)
    try:
        message: Message[D] = msgspec.convert(fields, Message[data])  # type: ignore[valid-type]
    except msgspec.ValidationError as error:
        raise UndecodableError(f"value: {error}") from error
    if not _writes_more(entry.id, reader):
        return message
    return drifted(message, left_out(decode_fields(value), fields) or {})
