"""The outputs of one cause: what their envelopes share is encoded once, for it is half of their bytes."""

from functools import cache
from typing import Any

import msgspec

from schemas.avro import message_schema
from schemas.codec import UNFIT, encode, header, writing_schema
from schemas.encoder import Encoder, compile_own, compile_shared
from schemas.envelope import Message

SHARED = ("occurred_at", "source", "correlation_id", "causation_id", "tenant_id", "user_id")
OWN = ("event_id", "aggregate_id", "aggregate_version", "data")


@cache
def _shared() -> Encoder:
    fields = message_schema("any.message", msgspec.Struct)["fields"]
    return compile_shared([field for field in fields if field["name"] in SHARED])


@cache
def _own(topic: str, aggregate_type: str) -> Encoder:
    constants = {"event_type": topic, "aggregate_type": aggregate_type}
    return compile_own(header(topic), writing_schema(topic), SHARED, constants, OWN)


class Siblings:
    """Messages that differ in topic, ids, version and data only."""

    __slots__ = ("_bytes", "_fields")

    def __init__(  # noqa: PLR0917 - called once per record, on the hot path
        self,
        occurred_at: int,
        source: str,
        correlation_id: str,
        causation_id: str | None,
        tenant_id: str,
        user_id: str | None,
    ) -> None:
        self._fields = (occurred_at, source, correlation_id, causation_id, tenant_id, user_id)
        self._bytes = _shared()(*self._fields)

    def encode(  # noqa: PLR0917 - called once per output, on the hot path
        self,
        topic: str,
        aggregate_type: str,
        event_id: str,
        aggregate_id: str,
        version: int,
        data: msgspec.Struct,
    ) -> bytes:
        """Return one's bytes under the topic's newest locked schema. Raises what `codec.encode` does."""
        try:
            return _own(topic, aggregate_type)(self._bytes, event_id, aggregate_id, version, data)
        except UNFIT:
            shared: dict[str, Any] = dict(zip(SHARED, self._fields, strict=True))
            message = Message(
                event_id=event_id,
                event_type=topic,
                aggregate_id=aggregate_id,
                aggregate_type=aggregate_type,
                aggregate_version=version,
                data=data,
                **shared,
            )
            return encode(topic, message)
