"""Reads the cells of one column, whatever type the file gave it, and names the row of a value that is bad."""

import math
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TypeVar

from connectors.retail.notation import DateOrder, DecimalMark, plain_number
from schemas.bounds import SHORT

T = TypeVar("T")

# Far above any real line, and small enough that every amount fits 64 bits.
LARGEST = 100_000_000
# How exports write times, beside ISO 8601: which of the slashed ones is meant is for the file to show.
_SLASHED = {DateOrder.MONTH_FIRST: "%m/%d/%Y", DateOrder.DAY_FIRST: "%d/%m/%Y"}
_DOTTED = "%d.%m.%Y"
_CLOCKS = (" %H:%M", " %H:%M:%S", "")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# Excel's and R's ways to write an empty cell. NA may be a code, and is Namibia's.
_EMPTY = frozenset({"", "N/A", "NULL", "NaN", "nan"})
_MISSING = _EMPTY | {"NA"}

LONGEST_COUNTRY = SHORT.most


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
        except (ValueError, InvalidOperation, OverflowError) as error:
            rule = "" if isinstance(error, InvalidOperation) else f": {error}"
            message = f"row {first + offset}: {name} {value!r} cannot be read{rule}"
            raise RetailFileError(message) from error
    return out


def text(value: object) -> str | None:
    """Read text; space around it and NUL, which no view can have, are dropped; empty text is missing."""
    return _text(value, _MISSING)


def code(value: object) -> str | None:
    """Read the code of an article; one may be called NA."""
    return _text(value, _EMPTY)


def place(value: object) -> str | None:
    """Read a country; Namibia's code is NA. A name longer than an address may have is cut."""
    found = _text(value, _EMPTY)
    return None if found is None else found[:LONGEST_COUNTRY]


def _text(value: object, missing: AbstractSet[str]) -> str | None:
    if isinstance(value, float):
        return identifier(value)
    written = str(value).replace("\0", "").strip()
    return None if written in missing else written


def identifier(value: object) -> str | None:
    """Read a number that names something: an export's `17850.0` is `17850`."""
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else str(value)
    name = str(value).replace("\0", "").strip().removesuffix(".0")
    return None if name in _MISSING else name


def whole(value: object, mark: DecimalMark | None = None) -> int | None:
    """Read a whole number of pieces."""
    number = decimal(value, mark)
    if number is None:
        return None
    if number != int(number):
        raise ValueError("a whole number is needed")
    return int(number)


def decimal(value: object, mark: DecimalMark | None = None) -> Decimal | None:
    """Read an exact decimal; a binary float counts as the shortest decimal that means it."""
    if isinstance(value, float) and math.isnan(value):
        return None
    written = str(value).strip()
    if written in _MISSING:
        return None
    return _decimal(plain_number(written, mark) if isinstance(value, str) else written)


@lru_cache(maxsize=65_536)
def _decimal(written: str) -> Decimal:
    number = Decimal(written)
    if not number.is_finite() or abs(number) > LARGEST:
        raise ValueError(f"it must lie between -{LARGEST} and {LARGEST}")
    return number


def instant(value: object, order: DateOrder | None = None) -> int | None:
    """Read a point in time as ms since the epoch; without a zone it is taken as UTC."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
    elif isinstance(value, str):
        if value.strip() in _MISSING:
            return None
        moment = _written_time(value.strip(), order)
    else:
        raise ValueError("a date and time is needed")  # noqa: TRY004 - a wrong type is a bad value here
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    # Not by `timestamp`, which fails at the ends of the calendar.
    return round((moment - _EPOCH) / _MILLISECOND)


@lru_cache(maxsize=65_536)
def _written_time(written: str, order: DateOrder | None) -> datetime:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        for day in (_DOTTED, *((_SLASHED[order],) if order else ())):
            for clock in _CLOCKS:
                try:
                    return datetime.strptime(written, day + clock)  # noqa: DTZ007 - the caller adds the zone
                except ValueError:
                    continue
    raise ValueError("a date and time is needed, as 2010-12-01 08:26:00 or 12/1/2010 8:26")
