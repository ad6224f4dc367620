"""Avro schemas as words for a catalogue."""

from typing import Any

from schemas.avro import Schema


def type_text(of: Any) -> str:
    """Return a type as people say it: `string`, `OrderLine`, `array of OrderLine`, `string or null`."""
    if isinstance(of, str):
        return of.rsplit(".", 1)[-1]
    if isinstance(of, list):
        (other,) = [one for one in of if one != "null"]
        return f"{type_text(other)} or null"
    kind = of["type"]
    if kind == "array":
        return f"array of {type_text(of['items'])}"
    if kind == "map":
        return f"map of {type_text(of['values'])}"
    if of.get("logicalType") == "timestamp-millis":
        return "time (ms, UTC)"
    return str(of.get("name", kind))


def data_of(message: Schema) -> Schema:
    """Return the schema of a message's `data`."""
    (field,) = [field for field in message["fields"] if field["name"] == "data"]
    data: Schema = field["type"]
    return data


def named_types(of: Any) -> dict[str, Schema]:
    """Return every record and enum inside a type by name, outermost first."""
    if isinstance(of, list):
        return {name: schema for one in of for name, schema in named_types(one).items()}
    if not isinstance(of, dict):
        return {}
    inner = [of.get("items"), of.get("values"), *(field["type"] for field in of.get("fields", ()))]
    own = {str(of["name"]): of} if of["type"] in ("record", "enum") else {}
    return own | {name: schema for one in inner for name, schema in named_types(one).items()}
