"""Messages' types as Arrow types: nested, with times as UTC timestamps."""

import enum
import inspect
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
import pyarrow as pa

from schemas.bounds import bare
from schemas.envelope import Message

TIME = pa.timestamp("ms", tz="UTC")

_PRIMITIVES = {str: pa.string(), int: pa.int64(), bool: pa.bool_(), float: pa.float64(), bytes: pa.binary()}


def arrow_type(of: Any, name: str = "") -> pa.DataType:
    """Return the Arrow type of a message's field: nested, and with `*_at` fields as UTC timestamps."""
    of = bare(of)
    origin, args = get_origin(of), get_args(of)
    if of in _PRIMITIVES:
        return TIME if of is int and name.endswith("_at") else _PRIMITIVES[of]
    if origin in (Union, UnionType):
        return arrow_type(next(arg for arg in args if arg is not NoneType), name)
    if origin is tuple:
        return pa.list_(arrow_type(args[0], name))
    if origin is dict:
        return pa.map_(arrow_type(args[0]), arrow_type(args[1], name))
    if inspect.isclass(of) and issubclass(of, enum.StrEnum):
        return pa.string()
    return pa.struct(
        [(field.name, arrow_type(field.type, field.name)) for field in msgspec.structs.fields(of)]
    )


def envelope_columns() -> list[tuple[str, pa.DataType]]:
    """Return the envelope's fields but `data` as columns."""
    fields = [field for field in msgspec.structs.fields(Message) if field.name != "data"]
    return [(field.name, arrow_type(field.type, field.name)) for field in fields]
