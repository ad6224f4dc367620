"""Records as a Parquet file and back: the broker's bytes exactly, and beside them what they say, typed."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.archive.arrow import TIME, arrow_type, envelope_columns
from connectors.runtime.record import Record
from schemas.codec import UndecodableError, decode_fields, writer_of
from schemas.lock import lock
from topics.dead_letter import said
from topics.registry import TOPICS

_HEADER = pa.struct([("name", pa.string()), ("value", pa.binary())])
_BYTES = [
    ("partition", pa.int32()),
    ("offset", pa.int64()),
    ("timestamp", TIME),
    ("key", pa.binary()),
    ("headers", pa.list_(_HEADER)),
    ("value", pa.binary()),
    ("schema_id", pa.int32()),
]
_COLUMNS = ["partition", "offset", "timestamp", "key", "headers", "value"]


_UNFIT = (pa.ArrowException, ValueError, TypeError, OverflowError)


@lru_cache(maxsize=256)
def columns(topic: str) -> pa.Schema:
    """Return a topic's columns: the record's own and, where the registry types it, its message's.

    `error` says why a value could not be read; its bytes are there all the same.
    """
    typed = TOPICS.get(topic)
    if typed is None:
        return pa.schema(_BYTES)
    said = [*envelope_columns(), ("data", arrow_type(typed.data)), ("error", pa.string())]
    return pa.schema([*_BYTES, *said])


def written(topic: str, records: Sequence[Record]) -> bytes:
    """Return the records of one topic as a Parquet file."""
    schema = columns(topic)
    rows = [_row(record, typed=topic in TOPICS) for record in records]
    try:
        table = pa.Table.from_pylist(rows, schema=schema)
    except _UNFIT:
        # One of them says what no column can hold: its bytes are kept all the same.
        table = pa.concat_tables(_table(row, schema) for row in rows)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    file: bytes = sink.getvalue().to_pybytes()
    return file


def read(topic: str, file: bytes) -> Iterator[Record]:
    """Yield a file's records as the broker had them. Raises pyarrow.ArrowInvalid where it is no such file."""
    table = pq.read_table(pa.BufferReader(file), columns=_COLUMNS)
    table = table.set_column(2, "timestamp", pc.cast(table["timestamp"], pa.int64()))
    for batch in table.to_batches(max_chunksize=1_000):
        for row in batch.to_pylist():
            headers = tuple((each["name"], each["value"]) for each in row.pop("headers"))
            yield Record(topic=topic, headers=headers, **row)


def last_offset(file: bytes) -> int:
    """Return the offset of a file's last record."""
    offset: int = pq.read_table(pa.BufferReader(file), columns=["offset"])["offset"][-1].as_py()
    return offset


def _table(row: dict[str, Any], schema: pa.Schema) -> pa.Table:
    try:
        return pa.Table.from_pylist([row], schema=schema)
    except _UNFIT as error:
        bare = {name: row[name] for name in _COLUMNS}
        return pa.Table.from_pylist([{**bare, "error": said(error)}], schema=schema)


def _row(record: Record, *, typed: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": record.key,
        "headers": [{"name": name, "value": value} for name, value in record.headers],
        "value": record.value,
    }
    if record.value is None or not typed:
        return row
    try:
        row["schema_id"] = writer_of(record.value).id
        # The newest schema reads all older ones, so that a topic's files have the same columns.
        fields = decode_fields(record.value, lock().latest(record.topic).id)
    except UndecodableError as error:
        return {**row, "error": said(error)}
    return {**fields, **row}
