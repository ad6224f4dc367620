"""Some instance of a message's type, made from the types of its fields: where its values say nothing."""

from enum import Enum
from inspect import isclass
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from schemas.bounds import bare

D = TypeVar("D", bound=msgspec.Struct)

_PLAIN: dict[Any, Any] = {str: "text", int: 1, bool: True, float: 1.0}


def sample(data: type[D]) -> D:
    return data(**{field.encode_name: _value(field.type) for field in msgspec.structs.fields(data)})


def _value(of: Any) -> Any:
    of = bare(of)
    if of in _PLAIN:
        return _PLAIN[of]
    if get_origin(of) in (Union, UnionType):
        return None if NoneType in get_args(of) else _value(get_args(of)[0])
    if isclass(of) and issubclass(of, Enum):
        return next(iter(of))
    if isclass(of) and issubclass(of, msgspec.Struct):
        return sample(of)
    assert get_origin(of) in (tuple, dict), f"{of!r} is none of what messages hold"
    return get_origin(of)()
