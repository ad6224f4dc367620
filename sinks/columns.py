"""Values of the wire as values of a column; each error names the field that breaks the rule."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from asyncpg.pgproto.pgproto import UUID as PostgresUUID  # noqa: N811 - it is no constant

from schemas.drift import DriftedMessage
from schemas.envelope import Message

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT_MS = 2**32 * 1000
"""Up to there, in 2106, a float of seconds is off by less than half a microsecond."""


def instant(field: str, ms: int) -> datetime:
    """Return milliseconds since the epoch as a UTC time. Raises ValueError outside the years 1 to 9999."""
    if 0 <= ms < _EXACT_MS:
        return datetime.fromtimestamp(ms / 1000, UTC)
    try:
        return _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        raise ValueError(f"{field}: {ms} ms is no time of the years 1 to 9999") from None


def identifier(field: str, text: str) -> UUID:
    """Return an id. Raises ValueError where it is not a UUID."""
    try:
        # asyncpg's own: a UUID in C, made, compared and hashed in an eighth of the time.
        made: UUID = PostgresUUID(text)
    except ValueError:
        raise ValueError(f"{field}: {text!r} is not a UUID") from None
    return made


def optional_identifier(field: str, text: str | None) -> UUID | None:
    """Return an id, or None for None. Raises ValueError where it is not a UUID."""
    return None if text is None else identifier(field, text)


def extra(message: Message[msgspec.Struct]) -> str | None:
    """Return as JSON the message's fields that this release does not know; None where it knows them all."""
    return json_text(message.unknown) if isinstance(message, DriftedMessage) else None


def json_text(value: Any) -> str:
    """Return a value of messages as JSON text."""
    return msgspec.json.encode(value).decode()
