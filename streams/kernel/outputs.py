"""From a decision's outputs to records: the envelope is derived from the cause, never invented."""

from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.envelope import Message, named_id, namespace_of
from schemas.siblings import Siblings
from streams.kernel.errors import TooLargeError, UndeclaredOutputError
from streams.kernel.flow import Out
from streams.kernel.ports import Headers, Output
from topics.trace import trace_headers

# The broker's limit for one record batch of an ordinary topic is 1 MiB; headers and framing need some.
MAX_OUTPUT_BYTES = 1_000_000


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
    namespace = namespace_of(cause.event_id)
    siblings: dict[str | None, Siblings] = {}
    encoded = []
    for index, out in enumerate(outs):
        topic, key = out.topic, out.key
        name = topic.name
        if name not in declared:
            raise UndeclaredOutputError(f"{name} is not among the route's `emits`")
        if not key:
            raise ValueError(f"an output to {name} has no key")
        user_id = cause.user_id if out.user_id is None else out.user_id
        family = siblings.get(user_id)
        if family is None:
            family = siblings[user_id] = Siblings(
                now, source, cause.correlation_id, cause.event_id, cause.tenant_id, user_id
            )
        event_id = named_id(namespace, name, index)
        value = family.encode(name, topic.aggregate, event_id, key, out.version, out.data)
        if len(value) > MAX_OUTPUT_BYTES:
            raise TooLargeError(f"an output to {name} has {len(value)} bytes, over {MAX_OUTPUT_BYTES}")
        encoded.append(Output(name, key.encode(), value, trace))
    return encoded
