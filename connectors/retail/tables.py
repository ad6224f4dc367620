"""A retailer's file as batches of columns, whatever kind of file it is: Parquet, text, or a workbook."""

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from python_calamine import CalamineError, CalamineWorkbook

from connectors.retail.cells import RetailFileError
from connectors.retail.row import COLUMNS

Columns = dict[str, list[object]]
"""Cells by column, all of the same number."""

UNREADABLE = (pa.ArrowException, OSError, UnicodeError, LookupError, CalamineError, csv.Error)
"""What a file's reader raises for a file that is not what it seems to be."""

_BATCH = 16_384
_SEPARATORS = ",;\t|"
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def batches(path: Path, wanted: Sequence[str] = COLUMNS) -> Iterator[Columns]:
    """Yield the wanted columns of a file, in batches of rows.

    Raises RetailFileError where a column of `COLUMNS` is missing, and one of `UNREADABLE`.
    """
    with path.open("rb") as opened:
        magic = opened.read(4)
    if magic == b"PAR1":
        return _parquet(path, wanted)
    if magic in _WORKBOOKS:
        return _workbook(path, wanted)
    return _text(path, wanted)


def _parquet(path: Path, wanted: Sequence[str]) -> Iterator[Columns]:
    with pa.parquet.ParquetFile(path) as parquet:
        _check(path, parquet.schema_arrow.names)
        for batch in parquet.iter_batches(batch_size=_BATCH, columns=list(wanted)):
            yield {name: _cells(batch.column(name)) for name in wanted}


def _cells(column: pa.Array) -> list[object]:
    if pa.types.is_float32(column.type) or pa.types.is_float16(column.type):
        # The shortest decimal of the narrow float, not of the double it would be widened to.
        column = column.cast(pa.string())
    cells: list[object] = column.to_pylist()
    return cells


def _text(path: Path, wanted: Sequence[str]) -> Iterator[Columns]:
    encoding = _encoding(path)
    read = pa.csv.ReadOptions(encoding=encoding)
    with path.open(encoding=encoding, newline="") as opened:
        separator = _separator(opened.readline())
    parse = pa.csv.ParseOptions(newlines_in_values=True, delimiter=separator)
    with pa.csv.open_csv(path, read_options=read, parse_options=parse) as header:
        _check(path, header.schema.names)
    # Every cell as text: a value that cannot be read is then named with its row.
    convert = pa.csv.ConvertOptions(
        include_columns=list(wanted),
        column_types=dict.fromkeys(wanted, pa.string()),
        strings_can_be_null=True,
        null_values=[""],
    )
    with pa.csv.open_csv(path, read_options=read, parse_options=parse, convert_options=convert) as reader:
        for batch in reader:
            yield {name: batch.column(name).to_pylist() for name in wanted}


def _encoding(path: Path) -> str:
    """Return the encoding that a mark says; else UTF-8, or Windows-1252 where it is not that (in exports)."""
    with path.open("rb") as opened:
        start = opened.read(3)
    marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if marked is not None:
        return marked
    try:
        with path.open(encoding="utf-8") as opened_as_text:
            while opened_as_text.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _separator(header: str) -> str:
    """Return what separates the columns: that by which most of the needed ones are found."""

    def found(separator: str) -> int:
        names = next(csv.reader([header], delimiter=separator), [])
        return len({name.strip() for name in names} & set(COLUMNS))

    return max(_SEPARATORS, key=found)


def _workbook(path: Path, wanted: Sequence[str]) -> Iterator[Columns]:
    """Yield the rows of every sheet that has the columns, in the workbook's order."""
    read = False
    first: list[str] = []
    with CalamineWorkbook.from_path(path) as book:
        for name in book.sheet_names:
            rows = iter(book.get_sheet_by_name(name).iter_rows())
            header = [str(cell).strip() for cell in next(rows, [])]
            first = first or header
            if set(COLUMNS) - set(header):
                continue
            read = True
            places = {column: header.index(column) for column in wanted}
            while some := list(islice(rows, _BATCH)):
                yield {
                    column: [None if row[place] == "" else row[place] for row in some]
                    for column, place in places.items()
                }
    if not read:
        _check(path, first)


def _check(path: Path, present: list[str]) -> None:
    missing = [name for name in COLUMNS if name not in present]
    if missing:
        there = f"; the file has {', '.join(present)[:200]}" if any(present) else ""
        raise RetailFileError(
            f"{path.name}: missing column {', '.join(missing)}; needed: {', '.join(COLUMNS)}{there}"
        )
