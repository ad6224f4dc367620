"""What the API hears of a command: the message that ended it, or the dead letter that it became."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from schemas.codec import UndecodableError
from schemas.envelope import Message
from topics.dead_letter import ID, REASON, SOURCE_TOPIC
from topics.registry import TOPICS
from topics.topic import Topic
from topics.wire import decode

Headers = Iterable[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Letter:
    """The dead letter that a command became: its topic, its id, and in one word why."""

    topic: str
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A message and the topic that it came from. With `letter` it is a command that was not carried out."""

    topic: Topic[Any]
    message: Message[Any]
    letter: Letter | None = None


def buried(topic_name: str, value: bytes | None, headers: Headers) -> Heard | None:
    """Return the command that a dead letter was; None for what is no readable message of the registry's."""
    told = {name: text.decode(errors="replace") for name, text in headers if text is not None}
    topic = TOPICS.get(told.get(SOURCE_TOPIC, ""))
    if topic is None or value is None:
        return None
    try:
        message = decode(topic, value)
    except UndecodableError:
        return None
    return Heard(topic, message, Letter(topic_name, told.get(ID, ""), told.get(REASON, "")))
