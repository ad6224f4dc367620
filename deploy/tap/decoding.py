"""A record as plain fields: where it stood, its envelope, its data, or why it cannot be read."""

import base64
from typing import Any

import msgspec

from deploy.records.record import Record
from deploy.records.tables import TABLES, plain
from schemas.codec import UndecodableError, decode_fields, writer_of

Row = dict[str, Any]

PLACE = ("topic", "partition", "offset", "timestamp", "key", "headers")
"""Columns that every record has; `timestamp` is in ms since the epoch."""


def decode(record: Record) -> Row:
    """Return the record's row, read with the schema that wrote it.

    A tombstone has `data` null and `tombstone` true. What cannot be read has `error`, and `value` in Base64.
    A changelog's record has its table's state as `data`.
    """
    row: Row = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": record.key_text,
        "headers": {
            name: None if value is None else value.decode("utf-8", "backslashreplace")
            for name, value in record.headers
        },
    }
    if record.value is None:
        return {**row, "tombstone": True, "data": None}
    try:
        if record.topic in TABLES:
            return {**row, "data": plain(record.topic, record.key, record.value)}
        return {**row, "schema_id": writer_of(record.value).id, **decode_fields(record.value)}
    except (UndecodableError, msgspec.DecodeError, UnicodeDecodeError) as error:
        return {**row, "error": str(error), "value": base64.b64encode(record.value).decode(), "data": None}
