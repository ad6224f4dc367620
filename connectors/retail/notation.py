"""How a file writes dates and numbers where that can mean two things: said by its owner, or seen in it."""

import re
from collections.abc import Iterable
from enum import StrEnum

import msgspec


class DateOrder(StrEnum):
    """Which comes first in `05/01/2009`."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class DecimalMark(StrEnum):
    """What stands before the pence."""

    POINT = "point"
    COMMA = "comma"


class Notation(msgspec.Struct, frozen=True):
    """What is known of a file's notation; None is to be seen in the file, or to be asked for."""

    dates: DateOrder | None = None
    decimal: DecimalMark | None = None


_SLASHED = re.compile(r"\s*(\d{1,2})/(\d{1,2})/\d{4}\b")


class AmbiguousDatesError(ValueError):
    """Nothing in the file says whether its dates begin with the day or with the month."""


def order_of(dates: Iterable[object]) -> DateOrder | None:
    """Return the order that a file's dates show: one with a day above 12 is enough. None without such dates.

    Raises AmbiguousDatesError where no date shows it, or two show different ones.
    """
    example = ""
    shown: dict[DateOrder, str] = {}
    for each in dates:
        found = _SLASHED.match(each) if isinstance(each, str) else None
        if found is None:
            continue
        first, second = int(found[1]), int(found[2])
        example = example or str(each).strip()
        if first > _MONTHS:
            shown.setdefault(DateOrder.DAY_FIRST, str(each).strip())
        elif second > _MONTHS:
            shown.setdefault(DateOrder.MONTH_FIRST, str(each).strip())
    if len(shown) > 1:
        mixed = " and ".join(repr(each) for each in shown.values())
        raise AmbiguousDatesError(f"InvoiceDate: {mixed} stand in one file, day first and month first")
    if example and not shown:
        raise AmbiguousDatesError(
            f"InvoiceDate: {example!r} may begin with the day or with the month, and no date of the file "
            f"shows which: say --dates {DateOrder.DAY_FIRST} or --dates {DateOrder.MONTH_FIRST}"
        )
    return next(iter(shown), None)


_MONTHS = 12
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")
_GROUPED_BY_POINTS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_WITH_COMMA = re.compile(r"[+-]?\d*,\d+")
_WITH_BOTH = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\.\d+")


def plain_number(written: str, mark: DecimalMark | None) -> str:
    """Return a number with a decimal point and no marks between its thousands.

    Raises ValueError where it can mean two numbers and `mark` is not known.
    """
    if "," not in written:
        if mark is DecimalMark.COMMA and _GROUPED_BY_POINTS.fullmatch(written):
            return written.replace(".", "")
        return written
    if mark is DecimalMark.COMMA or (mark is None and _GROUPED_BY_POINTS.fullmatch(written)):
        return written.replace(".", "").replace(",", ".")
    if mark is DecimalMark.POINT or _WITH_BOTH.fullmatch(written):
        if not (_GROUPED.fullmatch(written) or _WITH_BOTH.fullmatch(written)):
            raise ValueError(
                "a comma stands between thousands only: say --decimal comma if it means the point"
            )
        return written.replace(",", "")
    if _GROUPED.fullmatch(written):
        raise ValueError("its comma may stand between thousands or before the decimals: say --decimal")
    if _WITH_COMMA.fullmatch(written):
        return written.replace(",", ".")
    return written
