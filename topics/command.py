"""A fresh envelope for messages that begin something: what the API, the replay and the timers send."""

import time
from typing import TypeVar

import msgspec

from schemas.envelope import Message, fresh_id
from topics.topic import Topic

D = TypeVar("D", bound=msgspec.Struct)


def command(
    topic: Topic[D],
    key: str,
    data: D,
    *,
    event_id: str | None = None,
    correlation_id: str | None = None,
    causation_id: str | None = None,
    user_id: str | None = None,
    source: str = "api",
    occurred_at: int | None = None,
    tenant_id: str = "main",
) -> Message[D]:
    """Return a message for `topic` under `key`. `occurred_at` is in ms and defaults to now.

    A sender that may repeat itself gives an `event_id` derived from what it repeats.
    """
    made = event_id or fresh_id()
    return Message(
        event_id=made,
        event_type=topic.name,
        aggregate_id=key,
        aggregate_type=topic.aggregate,
        aggregate_version=0,
        occurred_at=time.time_ns() // 1_000_000 if occurred_at is None else occurred_at,
        source=source,
        correlation_id=correlation_id or made,
        causation_id=causation_id,
        tenant_id=tenant_id,
        user_id=user_id,
        data=data,
    )
