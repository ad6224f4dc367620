"""Reads the cells of one column, whatever type the file gave it, and names the row of a value that is bad."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

# Far above any real line, and small enough that every amount fits 64 bits.
LARGEST = 100_000_000
# How a spreadsheet's export of the data set writes times, beside ISO 8601.
_SPREADSHEET_TIMES = ("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S")


class RetailFileError(ValueError):
    """The file cannot be read: which column or row, and what is wrong with it."""


def read_column(
    name: str, values: list[object], read: Callable[[object], T | None], first: int
) -> list[T | None]:
    """Read a column's cells; `first` is the row number of the first of them.

    Raises RetailFileError naming the row, the column and the value that could not be read.
    """
    out: list[T | None] = []
    for offset, value in enumerate(values):
        try:
            out.append(None if value is None else read(value))
        except (ValueError, InvalidOperation) as error:
            rule = "" if isinstance(error, InvalidOperation) else f": {error}"
            message = f"row {first + offset}: {name} {value!r} cannot be read{rule}"
            raise RetailFileError(message) from error
    return out


def text(value: object) -> str | None:
    """Read text; space around it is dropped, and empty text is a missing value."""
    if isinstance(value, float):
        return identifier(value)
    return str(value).strip() or None


def identifier(value: object) -> str | None:
    """Read a number that names something: an export's `17850.0` is `17850`."""
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else str(value)
    name = str(value).strip().removesuffix(".0")
    return name or None


def whole(value: object) -> int | None:
    """Read a whole number of pieces."""
    number = decimal(value)
    if number is None:
        return None
    if number != int(number):
        raise ValueError("a whole number is needed")
    return int(number)


def decimal(value: object) -> Decimal | None:
    """Read an exact decimal; a binary float counts as the shortest decimal that means it."""
    if isinstance(value, float) and math.isnan(value):
        return None
    written = str(value).strip()
    return _decimal(written) if written else None


@lru_cache(maxsize=65_536)
def _decimal(written: str) -> Decimal:
    number = Decimal(written)
    if not number.is_finite() or abs(number) > LARGEST:
        raise ValueError(f"it must lie between -{LARGEST} and {LARGEST}")
    return number


def instant(value: object) -> int | None:
    """Read a point in time as ms since the epoch; without a zone it is taken as UTC."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
    elif isinstance(value, str):
        if not value.strip():
            return None
        moment = _written_time(value.strip())
    else:
        raise ValueError("a date and time is needed")  # noqa: TRY004 - a wrong type is a bad value here
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


@lru_cache(maxsize=65_536)
def _written_time(written: str) -> datetime:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        for layout in _SPREADSHEET_TIMES:
            try:
                return datetime.strptime(written, layout)  # noqa: DTZ007 - the caller adds the zone
            except ValueError:
                continue
    raise ValueError("a date and time is needed, as 2010-12-01 08:26:00 or 12/1/2010 8:26")
