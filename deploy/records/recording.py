"""Recorded topics: records as the broker has them, in an Avro object container file.

A recording holds bytes, not decoded messages, so it can be produced again unchanged, and replayed as a test.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import fastavro
from fastavro.read import SchemaResolutionError

from deploy.errors import CommandError
from deploy.records.record import Record

SCHEMA: dict[str, Any] = {
    "type": "record",
    "namespace": "ecommerce",
    "name": "RecordedRecord",
    "doc": "One record of a topic: where it stood, and its bytes.",
    "fields": [
        {"name": "topic", "type": "string"},
        {"name": "partition", "type": "int"},
        {"name": "offset", "type": "long"},
        {"name": "timestamp", "type": "long", "doc": "ms since the epoch"},
        {"name": "key", "type": ["null", "bytes"]},
        {"name": "value", "type": ["null", "bytes"], "doc": "null is a tombstone"},
        {
            "name": "headers",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Header",
                    "fields": [
                        {"name": "name", "type": "string"},
                        {"name": "value", "type": ["null", "bytes"]},
                    ],
                },
            },
        },
    ],
}


def write_recording(file: IO[bytes], records: Iterable[Record]) -> None:
    """Write the records, in the order given."""
    fastavro.writer(file, fastavro.parse_schema(SCHEMA), map(row_of, records), codec="deflate")


def read_recording(path: Path) -> Iterator[Record]:
    """Yield a file's records in their order. Raises CommandError where it is no recording."""
    try:
        with path.open("rb") as file:
            for row in fastavro.reader(file, fastavro.parse_schema(SCHEMA)):
                yield _record(cast("dict[str, Any]", row))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except (ValueError, EOFError, KeyError, SchemaResolutionError) as error:
        raise CommandError(f"{path}: not a recorded topic (`ecommerce tap --record`): {error}") from error


def row_of(record: Record) -> dict[str, Any]:
    """Return the record as a row of the file."""
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": record.key,
        "value": record.value,
        "headers": [{"name": name, "value": value} for name, value in record.headers],
    }


def _record(row: dict[str, Any]) -> Record:
    headers = tuple((header["name"], header["value"]) for header in row.pop("headers"))
    return Record(**row, headers=headers)
