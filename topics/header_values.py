"""A record's headers as librdkafka's client has them."""

from operator import methodcaller
from typing import Any, Final

UNREADABLE: Final = "unreadable_headers"
"""Stands in place of headers whose names are not UTF-8: the client cannot give them. Its value says why."""

# The client returns a value and leaves the decoder's error set. The interpreter's fast way of calling does
# not look at that, and whatever is called next would fail of it; a call that goes through C does look.
_headers = methodcaller("headers")


def headers_of(message: Any) -> tuple[tuple[str, bytes | None], ...]:
    """Return a confluent_kafka message's headers, in their order; a header may have no value."""
    try:
        headers = _headers(message)
    except (SystemError, ValueError) as error:
        return ((UNREADABLE, str(error.__cause__ or error).encode()),)
    return () if headers is None else tuple(headers)
