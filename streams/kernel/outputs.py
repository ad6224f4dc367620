"""From a decision's outputs to records: the envelope is derived from the cause, never invented."""

from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.envelope import Message, output_id
from streams.kernel.errors import TooLargeError, UndeclaredOutputError
from streams.kernel.flow import Out
from streams.kernel.ports import Headers, Output
from topics.wire import encode

TRACEPARENT = "traceparent"

# The broker's limit for one record batch of an ordinary topic is 1 MiB; headers and framing need some.
MAX_OUTPUT_BYTES = 1_000_000


def trace_headers(headers: Headers) -> tuple[tuple[str, bytes], ...]:
    """Return the W3C trace header of the cause, if it has one, for its outputs."""
    for name, value in headers or ():
        if name == TRACEPARENT:
            return ((name, value),)
    return ()


def encode_outputs(  # noqa: PLR0917 - called once per record, on the hot path
    outs: Iterable[Out[Any]],
    cause: Message[msgspec.Struct],
    headers: Headers,
    declared: frozenset[str],
    source: str,
    now: int,
) -> list[Output]:
    """Return the records for a decision's outputs.

    Raises UndeclaredOutputError for a topic outside `declared`, TooLargeError for a value over
    `MAX_OUTPUT_BYTES`, ValueError where the data does not fit the topic's schema.
    """
    trace = trace_headers(headers)
    encoded = []
    for index, out in enumerate(outs):
        topic = out.topic
        if topic.name not in declared:
            raise UndeclaredOutputError(f"{topic.name} is not among the route's `emits`")
        if not out.key:
            raise ValueError(f"an output to {topic.name} has no key")
        message = Message(
            event_id=output_id(cause.event_id, topic.name, index),
            event_type=topic.name,
            aggregate_id=out.key,
            aggregate_type=topic.aggregate,
            aggregate_version=out.version,
            occurred_at=now,
            source=source,
            correlation_id=cause.correlation_id,
            causation_id=cause.event_id,
            tenant_id=cause.tenant_id,
            user_id=cause.user_id if out.user_id is None else out.user_id,
            data=out.data,
        )
        value = encode(topic, message)
        if len(value) > MAX_OUTPUT_BYTES:
            raise TooLargeError(f"an output to {topic.name} has {len(value)} bytes, over {MAX_OUTPUT_BYTES}")
        encoded.append(Output(topic.name, out.key.encode(), value, trace))
    return encoded
