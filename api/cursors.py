"""Cursors of lists: opaque to the client, the last row's sort values to the query."""

import base64
import binascii

import msgspec

from api.problems import invalid

_LONGEST = 1024
_BIGINT = 2**63

_PER_SECOND = {"millisecond": 1_000, "microsecond": 1_000_000}


def encode(*values: str | float | None) -> str:
    """Return a cursor that stands after the row with these sort values."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).rstrip(b"=").decode()


def decode(cursor: str, kinds: tuple[type, ...]) -> tuple[str | int, ...]:
    """Return the sort values of a cursor; raises a 422 Problem where they are not of `kinds`."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        values = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (UnicodeEncodeError, binascii.Error, msgspec.DecodeError, ValueError):
        raise invalid("cursor", "cursor", "is not a cursor of this list") from None
    fits = (
        len(cursor) <= _LONGEST
        and isinstance(values, list)
        and len(values) == len(kinds)
        and all(_fits(value, kind) for value, kind in zip(values, kinds, strict=True))
    )
    if not fits:
        raise invalid("cursor", "cursor", "is not a cursor of this list")
    return tuple(values)


def _fits(value: object, kind: type) -> bool:
    # What PostgreSQL cannot take is no cursor of ours either: NUL in text, integers beyond 64 bits.
    if isinstance(value, bool) or not isinstance(value, kind):
        return False
    if isinstance(value, int):
        return abs(value) < _BIGINT
    return not isinstance(value, str) or "\0" not in value


def moment(placeholder: str, unit: str) -> str:
    """Return SQL for the time that a cursor's number, of `unit`s since the epoch, stands for.

    A number that is none of ours is some time between the epoch and the year 10000, never an error.
    """
    most = 253_370_764_800 * _PER_SECOND[unit]
    return f"('epoch'::timestamptz + least(greatest({placeholder}::bigint, 0), {most}) * interval '1 {unit}')"
