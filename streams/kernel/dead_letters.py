"""The record of a failure: the original bytes, and headers that say what happened, where and when."""

import re

from streams.kernel.ports import Output, Record
from topics.dead_letter import ATTEMPT, letter_headers
from topics.topic import RawTopic

_WORDS = re.compile(r"(?<!^)(?=[A-Z])")


def reason_of(error: BaseException) -> str:
    """Return a short word to count by: the exception's name, as in `too_large` of a TooLargeError."""
    return _WORDS.sub("_", type(error).__name__.removesuffix("Error")).lower() or "error"


def dead_letter(
    record: Record, topic: RawTopic, error: BaseException, *, flow: str, attempt: int, failed_at: int
) -> Output:
    """Return the dead letter of a record. `failed_at` is in ms.

    `attempt` counts from 1; those of a record that was redriven go on counting.
    """
    facts = letter_headers(
        consumer=flow,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        reason=reason_of(error),
        failed_at=failed_at,
        error=error,
        attempt=attempt + _attempts_before(record),
    )
    original = tuple((name, value) for name, value in record.headers or () if name not in facts)
    told = tuple((name, text.encode()) for name, text in facts.items())
    return Output(topic.name, record.key, record.value, original + told)


def _attempts_before(record: Record) -> int:
    """Return how often a redriven record was tried before: the redrive counts the coming attempt already."""
    said = dict(record.headers or ()).get(ATTEMPT, b"1")
    return int(said) - 1 if said.isdigit() else 0
