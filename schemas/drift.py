"""What another release wrote and this one has no field for: kept beside the message, never dropped."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import msgspec

from schemas.avro import Schema
from schemas.envelope import Message

D_co = TypeVar("D_co", bound=msgspec.Struct, covariant=True)


class DriftedMessage(Message[D_co], Generic[D_co], frozen=True, kw_only=True):
    """A message with fields that its type does not know, at their places in the record.

    Of an array with such fields in an item every item has a dictionary, empty where there are none.
    """

    unknown: dict[str, Any]


def drifted(message: Message[D_co], unknown: dict[str, Any]) -> Message[D_co]:
    """Return the message with what is unknown beside it; as it is where that is nothing."""
    if not unknown:
        return message
    known = {name: getattr(message, name) for name in message.__struct_fields__}
    return DriftedMessage(**known, unknown=unknown)


def writes_more(writer: Any, reader: Any) -> bool:
    """Tell whether records under the schema `writer` may have fields that `reader` has not, at any depth."""
    theirs, ours = _record(writer), _record(reader)
    if theirs is None or ours is None:
        return False
    known = {field["name"]: field["type"] for field in ours["fields"]}
    return any(
        field["name"] not in known or writes_more(field["type"], known[field["name"]])
        for field in theirs["fields"]
    )


def left_out(full: Any, read: Any) -> Any:
    """Return what `full` has and `read` has not: None, a dictionary by field, or one per item of an array."""
    if isinstance(full, dict) and isinstance(read, dict):
        return dict(_fields_left_out(full, read)) or None
    if isinstance(full, list) and isinstance(read, list):
        items = [left_out(*pair) for pair in zip(full, read, strict=True)]
        return [item or {} for item in items] if any(items) else None
    return None


def _fields_left_out(full: dict[str, Any], read: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in full.items():
        if name not in read:
            yield name, value
        elif inner := left_out(value, read[name]):
            yield name, inner


def _record(schema: Any) -> Schema | None:
    """Return the record that a schema is, holds items or values of, or is null instead of."""
    if isinstance(schema, list):
        return next((found for branch in schema if (found := _record(branch))), None)
    if not isinstance(schema, dict):
        return None
    if schema["type"] == "record":
        return schema
    return _record(schema.get("items") or schema.get("values") or schema["type"])
