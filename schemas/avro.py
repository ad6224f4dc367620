"""Avro schemas derived from the message types, so that the types stay the one source.

The rules: `int` is a long; a field named `*_at` is a time (`timestamp-millis`); `X | None` is nullable with
default null; a `StrEnum` is an enum; `tuple[X, ...]` an array; a struct a record under its module's name.
Specification: Apache Avro 1.12.
"""

import enum
import inspect
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from schemas.bounds import bare
from schemas.envelope import Message

Schema = dict[str, Any]

_DATA_NAMESPACE = "ecommerce.data"

_PRIMITIVES: dict[Any, str] = {str: "string", int: "long", bool: "boolean", float: "double", bytes: "bytes"}


def message_schema(name: str, data: type[msgspec.Struct]) -> Schema:
    """Return the schema of `Message[data]` records of the topic `name`.

    Raises TypeError where a field's type has no Avro form.
    """
    *space, action = name.split(".")
    seen: set[str] = set()
    fields = [
        _field(field, data if field.name == "data" else None, seen)
        for field in msgspec.structs.fields(Message)
    ]
    return {
        "type": "record",
        "namespace": ".".join(space),
        "name": "".join(part.capitalize() for part in action.split("_")),
        "doc": inspect.getdoc(data) or "",
        "fields": fields,
    }


def _field(field: msgspec.structs.FieldInfo, given: Any, seen: set[str]) -> Schema:
    of = field.type if given is None else given
    schema: Schema = {"name": field.name, "type": _type(of, field.name, seen)}
    if field.default is not msgspec.NODEFAULT:
        default = msgspec.to_builtins(field.default)
        schema["default"] = list(default) if isinstance(default, tuple) else default
    elif field.default_factory is not msgspec.NODEFAULT:
        schema["default"] = msgspec.to_builtins(field.default_factory())
    return schema


def _type(of: Any, name: str, seen: set[str]) -> Any:
    of = bare(of)
    origin, args = get_origin(of), get_args(of)
    if of in _PRIMITIVES:
        is_time = of is int and name.endswith("_at")
        return {"type": "long", "logicalType": "timestamp-millis"} if is_time else _PRIMITIVES[of]
    if origin in (Union, UnionType):
        (other,) = [arg for arg in args if arg is not NoneType]
        return ["null", _type(other, name, seen)]
    if origin is tuple:
        return {"type": "array", "items": _type(args[0], name, seen)}
    if origin is dict:
        return {"type": "map", "values": _type(args[1], name, seen)}
    if inspect.isclass(of) and issubclass(of, enum.StrEnum | msgspec.Struct):
        return _named(of, seen)
    raise TypeError(f"field {name}: {of!r} has no Avro form")


def _named(of: type[enum.StrEnum | msgspec.Struct], seen: set[str]) -> Any:
    """Return the full definition where the type is met first, then only its name."""
    full = f"{_DATA_NAMESPACE}.{of.__name__}"
    if full in seen:
        return full
    seen.add(full)
    head = {"namespace": _DATA_NAMESPACE, "name": of.__name__, "doc": inspect.getdoc(of) or ""}
    if issubclass(of, msgspec.Struct):
        fields = [_field(field, None, seen) for field in msgspec.structs.fields(of)]
        return {"type": "record", **head, "fields": fields}
    return {"type": "enum", **head, "symbols": [member.value for member in of]}


def without_logical_types(schema: Any) -> Any:
    """Return the schema without `logicalType`: the bytes are the same, and times stay ints in Python."""
    if isinstance(schema, dict):
        return {key: without_logical_types(value) for key, value in schema.items() if key != "logicalType"}
    if isinstance(schema, list):
        return [without_logical_types(item) for item in schema]
    return schema
