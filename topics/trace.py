"""The W3C trace header of a record, passed on from cause to effect."""

from collections.abc import Iterable
from typing import Final

TRACEPARENT: Final = "traceparent"

_LONGEST: Final = 128
"""It has 55 bytes; a later version of the standard may add some."""


def trace_headers(headers: Iterable[tuple[str, bytes | None]] | None) -> tuple[tuple[str, bytes], ...]:
    """Return the trace header for the effects of a record with these headers, if one of them can be that."""
    for name, value in headers or ():
        if name == TRACEPARENT:
            usable = value and len(value) <= _LONGEST and value.isascii()
            return ((name, value),) if value and usable else ()
    return ()
