"""Reads a retailer's file, parquet or CSV, into rows."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from connectors.retail.cells import RetailFileError, decimal, identifier, instant, read_column, text, whole
from connectors.retail.row import COLUMNS, Row

BUNDLED = Path(__file__).parent / "data" / "online_retail_2010-12_to_2011-08.parquet"

_BATCH = 16_384
# Excel's and R's ways to write an empty cell.
_EMPTY = ["", "NA", "N/A", "NULL", "NaN", "nan"]


def read_rows(path: Path) -> Iterator[Row]:
    """Read a parquet or CSV file's rows, in file order, numbered from 1.

    The columns may stand in any order and others are ignored. Raises RetailFileError where the file is not
    there or not readable, a column is missing, or a value cannot be read (it names the row).
    """
    if not path.is_file():
        raise RetailFileError(f"{path}: no such file")
    try:
        first = 1
        for batch in _batches(path):
            yield from _rows(batch, first)
            first += batch.num_rows
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise RetailFileError(f"{path.name}: {error}") from error


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with path.open("rb") as opened:
        magic = opened.read(4)
    if magic == b"PAR1":
        with pa.parquet.ParquetFile(path) as parquet:
            _check_columns(path, parquet.schema_arrow.names)
            yield from parquet.iter_batches(batch_size=_BATCH, columns=list(COLUMNS))
        return
    read = pa.csv.ReadOptions(encoding=_encoding(path))
    parse = pa.csv.ParseOptions(newlines_in_values=True)
    with pa.csv.open_csv(path, read_options=read, parse_options=parse) as header:
        _check_columns(path, header.schema.names)
    # Every cell as text: a value that cannot be read is then named with its row.
    convert = pa.csv.ConvertOptions(
        include_columns=list(COLUMNS),
        column_types=dict.fromkeys(COLUMNS, pa.string()),
        strings_can_be_null=True,
        null_values=_EMPTY,
    )
    with pa.csv.open_csv(path, read_options=read, parse_options=parse, convert_options=convert) as reader:
        yield from reader


def _encoding(path: Path) -> str:
    """Return UTF-8, or Windows-1252 where the file is not UTF-8 (as common exports of this data set are)."""
    try:
        with path.open(encoding="utf-8") as opened:
            while opened.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _check_columns(path: Path, present: list[str]) -> None:
    missing = [name for name in COLUMNS if name not in present]
    if missing:
        raise RetailFileError(
            f"{path.name}: missing column {', '.join(missing)}; needed: {', '.join(COLUMNS)}"
        )


def _cells(batch: pa.RecordBatch, name: str) -> list[object]:
    column = batch.column(name)
    if pa.types.is_float32(column.type) or pa.types.is_float16(column.type):
        # The shortest decimal of the narrow float, not of the double it would be widened to.
        column = column.cast(pa.string())
    cells: list[object] = column.to_pylist()
    return cells


def _rows(batch: pa.RecordBatch, first: int) -> Iterator[Row]:
    columns = (
        read_column("InvoiceNo", _cells(batch, "InvoiceNo"), identifier, first),
        read_column("StockCode", _cells(batch, "StockCode"), text, first),
        read_column("Description", _cells(batch, "Description"), text, first),
        read_column("Quantity", _cells(batch, "Quantity"), whole, first),
        read_column("InvoiceDate", _cells(batch, "InvoiceDate"), instant, first),
        read_column("UnitPrice", _cells(batch, "UnitPrice"), decimal, first),
        read_column("CustomerID", _cells(batch, "CustomerID"), identifier, first),
        read_column("Country", _cells(batch, "Country"), text, first),
    )
    for number, cells in enumerate(zip(*columns, strict=True), start=first):
        yield Row(number, *cells)
