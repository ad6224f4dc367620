"""A record's headers as librdkafka's client has them."""

from typing import Any, Final

UNREADABLE: Final = "unreadable_headers"
"""Stands in place of headers whose names are not UTF-8: the client cannot give them. Its value says why."""


def headers_of(message: Any) -> tuple[tuple[str, bytes | None], ...]:
    """Return a confluent_kafka message's headers, in their order; a header may have no value."""
    try:
        headers = message.headers()
    except (SystemError, ValueError) as error:
        # Some builds of the client raise what the decoder did, others that a result came with it.
        return ((UNREADABLE, str(error.__cause__ or error).encode()),)
    return () if headers is None else tuple(headers)
