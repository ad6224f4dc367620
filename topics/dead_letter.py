"""The headers of a dead letter: why a record could not be handled, and where it lay.

The letter's key and value are the record's own bytes, so that it can be sent again as it was; the record's
own headers stay beside these. `id` is deterministic: the same record refused twice is one dead letter.
"""

import traceback
from collections.abc import Mapping

from schemas.envelope import derived_id

ID = "id"
REASON = "reason"
"""A short word to count by: undecodable, invalid, handler_failed, ..."""
ERROR = "error"
"""What went wrong, for people: one line that names field and rule."""
STACK = "stack"
ATTEMPT = "attempt"
"""How often it was tried, from 1."""
CONSUMER = "consumer"
"""The consumer group that could not handle it."""
SOURCE_TOPIC = "source_topic"
SOURCE_PARTITION = "source_partition"
SOURCE_OFFSET = "source_offset"
TARGET = "target"
"""The view that did not take it, where a sink refused it."""
CODE = "code"
"""The target's own word for the error: an SQLSTATE, a type of Elasticsearch's."""
FAILED_AT = "failed_at"
"""Milliseconds since the epoch."""

_MAX_ERROR = 2_000
_MAX_STACK = 8_000


def letter_headers(
    *,
    consumer: str,
    topic: str,
    partition: int,
    offset: int,
    reason: str,
    failed_at: int,
    error: BaseException | str | None = None,
    attempt: int = 1,
    own: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the headers of the dead letter for the record at `topic`, `partition`, `offset`.

    `own` are the record's own headers. An exception gives its message and its stack, both cut to a length
    that a broker takes.
    """
    headers = {
        **(own or {}),
        ID: derived_id("dead-letter", consumer, topic, str(partition), str(offset)),
        CONSUMER: consumer,
        SOURCE_TOPIC: topic,
        SOURCE_PARTITION: str(partition),
        SOURCE_OFFSET: str(offset),
        REASON: reason,
        ATTEMPT: str(attempt),
        FAILED_AT: str(failed_at),
    }
    if error is not None:
        headers[ERROR] = str(error)[:_MAX_ERROR]
    if isinstance(error, BaseException):
        headers[STACK] = "".join(traceback.format_exception(error))[-_MAX_STACK:]
    return headers
