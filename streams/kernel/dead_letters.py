"""The record of a failure: the original bytes, and headers that say what happened, where and when."""

import re

from streams.kernel.ports import Output, Record
from topics.dead_letter import attempts_before, letter_headers, sealed
from topics.topic import RawTopic

_WORDS = re.compile(r"(?<!^)(?=[A-Z])")


def reason_of(error: BaseException) -> str:
    """Return a short word to count by: the exception's name, as in `too_large` of a TooLargeError."""
    return _WORDS.sub("_", type(error).__name__.removesuffix("Error")).lower() or "error"


def dead_letter(
    record: Record, topic: RawTopic, error: BaseException, *, flow: str, attempt: int, failed_at: int
) -> Output:
    """Return the dead letter of a record. `failed_at` is in ms.

    `attempt` counts from 1; those of a record that was redriven go on counting. Of a record that cannot even
    be buried whole, the letter says where it lies and why, and no more.
    """

    def told(of: BaseException | str, attempts: int) -> dict[str, str]:
        return letter_headers(
            consumer=flow,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason_of(error),
            failed_at=failed_at,
            error=of,
            attempt=attempts,
        )

    try:
        whole = told(error, attempt + attempts_before(record.headers))
        return Output(topic.name, *sealed(record.key, record.value, record.headers, whole))
    except Exception as unburied:  # noqa: BLE001 # whatever a record holds, its partition goes on
        why = f"{type(error).__name__}; its letter has no content: {type(unburied).__name__}"
        facts = told(why, attempt)
        return Output(topic.name, None, b"", tuple((name, text.encode()) for name, text in facts.items()))
