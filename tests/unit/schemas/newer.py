"""Records of a newer release: its schema has fields that this one's types do not know."""

import copy
import itertools
import struct
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import fastavro
import msgspec
import pytest

from schemas.avro import Schema, without_logical_types
from schemas.envelope import Message
from schemas.lock import Foreign, lock, subject

_IDS = itertools.count(900_001)


def newer_schema(topic: str, added: Mapping[str, Schema]) -> Schema:
    """Return the topic's schema with a field more in each of the records named; `Message` is the envelope."""
    schema = copy.deepcopy(lock().schema(lock().latest(topic)))
    names = {"Message": schema["name"]}
    for record, field in added.items():
        _record(schema, names.get(record, record))["fields"].append(field)
    return schema


def written(
    monkeypatch: pytest.MonkeyPatch, schema: Schema, message: Message[Any], fields: Mapping[str, Any]
) -> bytes:
    """Return the message as the release with this schema writes it, with the fields that only it knows.

    `fields` are merged in by place: a dictionary into a record, a list item by item.
    """
    schema_id = next(_IDS)
    topic = message.event_type
    foreign = Foreign(subject(topic), 99, schema)
    monkeypatch.setattr(lock(), "source", lambda asked: foreign if asked == schema_id else None)
    out = BytesIO()
    out.write(struct.pack(">bI", 0, schema_id))
    values = _merged(msgspec.to_builtins(message), fields)
    fastavro.schemaless_writer(
        out, fastavro.parse_schema(without_logical_types(schema)), values, disable_tuple_notation=True
    )
    return out.getvalue()


def _merged(known: Any, added: Any) -> Any:
    if isinstance(added, dict) and isinstance(known, dict):
        return known | {name: _merged(known.get(name), value) for name, value in added.items()}
    if isinstance(added, list) and isinstance(known, list | tuple):
        return [_merged(*pair) for pair in zip(known, added, strict=True)]
    return added


def _record(schema: Any, name: str) -> Schema:
    found = next(_records(schema, name))
    assert isinstance(found, dict)
    return found


def _records(schema: Any, name: str) -> Any:
    if isinstance(schema, dict):
        if schema.get("type") == "record" and schema.get("name") == name:
            yield schema
        for value in schema.values():
            yield from _records(value, name)
    elif isinstance(schema, list):
        for each in schema:
            yield from _records(each, name)
