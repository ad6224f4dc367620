"""Reads a retailer's file, whatever its kind, into rows."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from connectors.retail.cells import (
    RetailFileError,
    code,
    decimal,
    identifier,
    instant,
    place,
    read_column,
    text,
    whole,
)
from connectors.retail.notation import AmbiguousDatesError, Notation, order_of
from connectors.retail.row import Row
from connectors.retail.tables import UNREADABLE, Columns, batches

T = TypeVar("T")

BUNDLED = Path(__file__).parent / "data" / "online_retail_2010-12_to_2011-08.parquet"


def read_rows(path: Path, notation: Notation | None = None, digits: int = 2) -> Iterator[Row]:
    """Read the rows of a Parquet file, a workbook (xlsx, xls, ods) or text with separators, from number 1.

    The columns may stand in any order and others are ignored. Text is UTF-8, UTF-16 or Windows-1252, its
    separator a comma, semicolon, tab or bar. `digits` are those of the currency's minor unit. Raises
    RetailFileError where the file is not there or not readable, a column is missing, a value cannot be read
    (it names the row), or dates can be read in two ways.
    """
    if not path.is_file():
        raise RetailFileError(f"{path}: no such file")
    try:
        known = _noticed(path, notation or Notation())
        first = 1
        for batch in batches(path):
            rows = _rows(batch, first, known, digits)
            yield from rows
            first += len(batch["InvoiceNo"])
    except RetailFileError:
        raise
    except AmbiguousDatesError as error:
        raise RetailFileError(f"{path.name}: {error}") from error
    except UNREADABLE as error:
        raise RetailFileError(f"{path.name}: {error}") from error


def _noticed(path: Path, notation: Notation) -> Notation:
    """Return the notation with what the file itself shows of it."""
    if notation.dates is not None:
        return notation
    dates = (cell for batch in batches(path, ["InvoiceDate"]) for cell in batch["InvoiceDate"])
    return Notation(order_of(dates), notation.decimal)


def _rows(batch: Columns, first: int, notation: Notation, digits: int) -> Iterator[Row]:
    def column(name: str, read: Callable[[object], T | None]) -> list[T | None]:
        return read_column(name, batch[name], read, first)

    columns = (
        column("InvoiceNo", identifier),
        column("StockCode", code),
        column("Description", text),
        column("Quantity", partial(whole, mark=notation.decimal)),
        column("InvoiceDate", partial(instant, order=notation.dates)),
        column("UnitPrice", partial(decimal, mark=notation.decimal)),
        column("CustomerID", identifier),
        column("Country", place),
    )
    for number, cells in enumerate(zip(*columns, strict=True), start=first):
        yield Row(number, *cells, digits)  # type: ignore[call-arg] # a column each
