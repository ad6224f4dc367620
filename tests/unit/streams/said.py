"""Messages as the handlers get them, with ids that a test can name."""

from typing import Any, TypeVar

import msgspec

from schemas.envelope import Message, derived_id
from schemas.service import TimerDue
from streams.kernel.flow import Decision, Out
from topics.command import command
from topics.topic import Topic

D = TypeVar("D", bound=msgspec.Struct)

T0 = 1_700_000_000_000


def said(
    topic: Topic[D], key: str, data: D, *, name: str = "first", at: int = T0, user_id: str | None = None
) -> Message[D]:
    """Return a message; the same topic, key and name give the same event id."""
    event_id = derived_id("test", topic.name, key, name)
    return command(topic, key, data, event_id=event_id, occurred_at=at, user_id=user_id, source="test")


def due(topic: Topic[TimerDue], key: str, at: int, late_ms: int = 0) -> Message[TimerDue]:
    """Return the timer record of `at` (ms), written `late_ms` after it."""
    return said(topic, key, TimerDue(at), name=str(at), at=at + late_ms)


def sent(decision: Decision[Any]) -> list[Topic[Any]]:
    """Return the topics of a decision's outputs, in order."""
    return [out.topic for out in decision.outputs]


def only(decision: Decision[Any], topic: Topic[D]) -> Out[D]:
    """Return the one output to a topic."""
    (out,) = [out for out in decision.outputs if out.topic is topic]
    return out
