"""Cursors of lists: opaque to the client, the last row's sort values to the query.

A cursor belongs to the list that it was made for: its order and its filters. Of another it is refused, as its
place there says nothing.
"""

import base64
import binascii
import hashlib
from typing import Any

import msgspec

from api.problems import invalid

_LONGEST = 1024
_BIGINT = 2**63
_SCORE = 10**6

_PER_SECOND = {"millisecond": 1_000, "microsecond": 1_000_000}


def list_of(*what: object) -> str:
    """Return a short name of a list by its kind, its order and its filters."""
    return hashlib.blake2b(msgspec.json.encode(what), digest_size=6).hexdigest()


def encode(of: str, *values: str | float | None) -> str:
    """Return a cursor of the list `of` that stands after the row with these sort values."""
    return base64.urlsafe_b64encode(msgspec.json.encode((of, *values))).rstrip(b"=").decode()


def decode(cursor: str, of: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """Return the sort values of a cursor.

    Raises a 422 Problem where they are not of `kinds`, or the cursor is of another list than `of`.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        values = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (UnicodeEncodeError, binascii.Error, msgspec.DecodeError, ValueError):
        raise invalid("cursor", "cursor", "is not a cursor of this list") from None
    fits = (
        len(cursor) <= _LONGEST
        and isinstance(values, list)
        and len(values) == 1 + len(kinds)
        and values[0] == of
        and all(_fits(value, kind) for value, kind in zip(values[1:], kinds, strict=True))
    )
    if not fits:
        raise invalid("cursor", "cursor", "is not a cursor of this list, with its order and its filters")
    return tuple(values[1:])


def _fits(value: object, kind: type) -> bool:
    # What PostgreSQL cannot take is no cursor of ours either: NUL in text, integers beyond 64 bits.
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):
        return False
    if isinstance(value, int | float):
        return abs(value) < (_SCORE if kind is float else _BIGINT)
    return not isinstance(value, str) or "\0" not in value


def moment(placeholder: str, unit: str) -> str:
    """Return SQL for the time that a cursor's number, of `unit`s since the epoch, stands for.

    A number that is none of ours is some time between the epoch and the year 10000, never an error.
    """
    most = 253_370_764_800 * _PER_SECOND[unit]
    return f"('epoch'::timestamptz + least(greatest({placeholder}::bigint, 0), {most}) * interval '1 {unit}')"
