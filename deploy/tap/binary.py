"""Rows as files for programs: Parquet for analysts, recordings for replays."""

from pathlib import Path

import fastavro
import fastavro.write
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.archive.arrow import TIME, arrow_type, envelope_columns
from deploy.records.record import Record
from deploy.records.recording import SCHEMA, row_of
from deploy.tap.decoding import Row

_ROWS = 10_000


def arrow_schema(data: type[msgspec.Struct] | None) -> pa.Schema:
    """Return the columns of a topic's records; where topics are mixed (None), `data` is JSON."""
    return pa.schema(
        [
            ("topic", pa.string()),
            ("partition", pa.int32()),
            ("offset", pa.int64()),
            ("timestamp", TIME),
            ("key", pa.string()),
            ("headers", pa.map_(pa.string(), pa.string())),
            *envelope_columns(),
            ("data", pa.string() if data is None else arrow_type(data)),
            ("error", pa.string()),
            ("value", pa.string()),
        ]
    )


class Parquet:
    """A Parquet file, written in row groups of 10,000."""

    def __init__(self, path: Path, data: type[msgspec.Struct] | None) -> None:
        self._schema = arrow_schema(data)
        self._mixed = data is None
        self._writer = pq.ParquetWriter(path, self._schema)
        self._rows: list[Row] = []

    def write(self, _record: Record, row: Row) -> None:
        """Add the row."""
        data = row["data"]
        if self._mixed and data is not None:
            data = msgspec.json.encode(data).decode()
        self._rows.append({**row, "headers": list(row["headers"].items()), "data": data})
        if len(self._rows) >= _ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is left and the file's footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()


class Recording:
    """A recorded-topic file, which `ecommerce replay` and the tests' driver read."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._writer = fastavro.write.Writer(self._file, fastavro.parse_schema(SCHEMA), codec="deflate")

    def write(self, record: Record, _row: Row) -> None:
        """Add the record's bytes."""
        self._writer.write(row_of(record))

    def close(self) -> None:
        """Write what is left."""
        self._writer.flush()
        self._file.close()
