"""A row of the outbox as the message that it becomes."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from schemas.envelope import Message, derived_id
from topics.registry import TOPICS
from topics.topic import Kind, Topic
from topics.wire import encode

SOURCE = "outbox"


class UnpublishableError(Exception):
    """A row is not a message of its topic; the text names the column and the rule that it breaks."""


class OutboxRow(NamedTuple):
    """A row as it was written; `data` is JSON, `version` the aggregate's version after the change."""

    position: int
    id: UUID
    topic: str
    key: str
    version: int
    data: str
    correlation_id: UUID | None
    traceparent: str | None
    occurred_at: datetime

    @property
    def event_id(self) -> str:
        """Return the id that the row's message has however often it is sent."""
        return derived_id(SOURCE, str(self.id))

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the row's record."""
        return {"traceparent": self.traceparent} if self.traceparent else {}


def published(row: OutboxRow, tenant_id: str) -> tuple[Topic[msgspec.Struct], bytes]:
    """Return the topic and the value that say what the row says. Raises UnpublishableError."""
    topic = TOPICS.get(row.topic)
    if topic is None or topic.kind is not Kind.EVENT:
        raise UnpublishableError(f"topic: {row.topic!r} is no event's topic of the registry")
    try:
        data: Any = msgspec.json.decode(row.data, type=topic.data)
    except msgspec.DecodeError as error:
        raise UnpublishableError(f"data: {error}") from error
    message = Message(
        event_id=row.event_id,
        event_type=topic.name,
        aggregate_id=row.key,
        aggregate_type=topic.aggregate,
        aggregate_version=row.version,
        occurred_at=round(row.occurred_at.timestamp() * 1000),
        source=SOURCE,
        correlation_id=str(row.correlation_id) if row.correlation_id else row.event_id,
        tenant_id=tenant_id,
        data=data,
    )
    try:
        return topic, encode(topic, message)
    except ValueError as error:
        raise UnpublishableError(f"data: {error}") from error
