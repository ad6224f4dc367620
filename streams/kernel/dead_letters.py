"""The record of a failure: the original bytes, and headers that say what happened, where and when."""

import traceback

from streams.kernel.ports import Output, Record
from topics.topic import RawTopic

MAX_REASON_CHARACTERS = 500
MAX_STACK_CHARACTERS = 4_000


def dead_letter(
    record: Record, topic: RawTopic, error: BaseException, *, flow: str, attempt: int, failed_at: int
) -> Output:
    """Return the dead letter of a record. `failed_at` is in ms; `attempt` counts from 1."""
    stack = "".join(traceback.format_exception(error))
    facts = {
        "error": type(error).__name__,
        "reason": str(error)[:MAX_REASON_CHARACTERS],
        "stack": stack[-MAX_STACK_CHARACTERS:],
        "source-topic": record.topic,
        "source-partition": str(record.partition),
        "source-offset": str(record.offset),
        "attempt": str(attempt),
        "flow": flow,
        "failed-at": str(failed_at),
    }
    told = tuple((name, text.encode()) for name, text in facts.items())
    original = tuple((name, value) for name, value in record.headers or () if name not in facts)
    return Output(topic.name, record.key, record.value, original + told)
