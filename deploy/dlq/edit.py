"""A dead letter's message as text that a person mends, and back, checked against its topic's schema."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from deploy.dlq.letter import Letter
from deploy.errors import CommandError
from schemas.check import check_of
from schemas.codec import UndecodableError, decode_fields
from schemas.envelope import Message, derived_id
from topics.registry import TOPICS
from topics.topic import Kind, Topic
from topics.wire import encode


class UnsoundEditError(CommandError):
    """The edited message is none of its topic; the text names field and rule."""


def editable(letter: Letter) -> str | None:
    """Return the letter's message as JSON; an empty frame where it cannot be read, None without a topic."""
    topic = TOPICS.get(letter.source_topic or "")
    if topic is None:
        return None
    try:
        fields = decode_fields(letter.record.value or b"")
    except UndecodableError:
        fields = _frame(topic, letter)
    return msgspec.json.format(msgspec.json.encode(fields)).decode()


def mended(letter: Letter, text: str) -> bytes:
    """Return the edited message's bytes, under the topic's newest schema.

    The key decides the partition and stays, so `aggregate_id` must be it. Raises UnsoundEditError.
    """
    topic = TOPICS.get(letter.source_topic or "")
    if topic is None:
        raise UnsoundEditError(f"{letter.id}: came from {letter.source}, which has no messages", 2)
    try:
        message: Message[msgspec.Struct] = msgspec.json.decode(text, type=Message[topic.data])  # type: ignore[name-defined]
        UUID(message.event_id)
        if topic.kind is Kind.COMMAND:
            check_of(topic.data, ids=True, keyed_by_id=topic.key != "sku")(message)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UnsoundEditError(f"{topic.name}: {error}", 2) from error
    expected = {"event_type": topic.name, "aggregate_id": letter.record.key_text}
    for name, wanted in expected.items():
        if getattr(message, name) != wanted:
            raise UnsoundEditError(
                f"{topic.name}: `$.{name}` must stay {wanted!r}, is {getattr(message, name)!r}", 2
            )
    known = set(_paths(msgspec.to_builtins(message)))
    if unknown := sorted(set(_paths(msgspec.json.decode(text))) - known):
        raise UnsoundEditError(f"{topic.name}: there is no field `{unknown[0]}`", 2)
    return encode(topic, message)


def _frame(topic: Topic[Any], letter: Letter) -> dict[str, Any]:
    # Derived, so that an edit that is sent twice is one message.
    event_id = derived_id("mended", letter.id)
    return {
        "event_id": event_id,
        "event_type": topic.name,
        "aggregate_id": letter.record.key_text,
        "aggregate_type": topic.aggregate,
        "aggregate_version": 0,
        "occurred_at": letter.failed_at,
        "source": "ops",
        "correlation_id": event_id,
        "data": dict.fromkeys(topic.data.__struct_fields__),
    }


def _paths(value: Any, path: str = "$") -> Iterator[str]:
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _paths(inner, f"{path}[]")
