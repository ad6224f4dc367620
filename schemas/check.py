"""Checks compiled from a command's type: straight-line code that looks at each field that has a bound.

The kernel looks at every command, some ten thousand a second: walking over types and values would cost as
much as decoding them.
"""

import inspect
import itertools
from collections.abc import Callable, Iterator
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from schemas.bounds import ID, SHORT, TIME, UUID, Bound, Count, Identifier, Number, Text, bare, bound_of
from schemas.envelope import Message

Check = Callable[[Message[Any]], None]

_ENVELOPE: dict[str, Bound] = {
    "event_id": ID,
    "aggregate_id": SHORT,
    "occurred_at": TIME,
    "source": SHORT,
    "correlation_id": ID,
    "tenant_id": SHORT,
    "user_id": ID,
}
"""What of a command's envelope goes on into events, rows and ids."""


# What begins a correlation has its own id for it.
_UNLESS = {"user_id": "v is not None", "correlation_id": "v != message.event_id"}


class OutOfBoundsError(ValueError):
    """A command holds what a later step could not take; the text names the field and the rule."""


def check_of(data: type[msgspec.Struct], *, ids: bool, keyed_by_id: bool = False) -> Check:
    """Return a function that raises OutOfBoundsError for a message whose envelope or data breaks a bound.

    With `ids`, ids have to be UUIDs, and with `keyed_by_id` the aggregate's too; without, they are any short
    text.
    """
    return _compiled(data, ids, keyed_by_id)


@cache
def _compiled(data: Any, ids: bool, keyed_by_id: bool) -> Check:  # noqa: FBT001 # passed on from keywords
    compiler = _Compiler(ids)
    envelope = _ENVELOPE | ({"aggregate_id": ID} if keyed_by_id else {})
    body: list[str] = []
    for name, bound in envelope.items():
        lines = list(compiler.bound(bound, "v", name, "    "))
        body.append(f"    v = message.{name}")
        if name in _UNLESS:
            body += [f"    if {_UNLESS[name]}:", *(f"    {line}" for line in lines)]
        else:
            body += lines
    body.append("    data = message.data")
    body += compiler.struct(data, "data", "", "    ")
    source = "\n".join(["def check(message):", *body])
    space: dict[str, Any] = {"broken": _broken, "uuid": UUID.fullmatch}
    exec(compile(source, f"<check of {data.__name__}>", "exec"), space)  # noqa: S102 - from our own types
    made: Check = space["check"]
    return made


def _broken(field: str, value: Any, rule: str) -> OutOfBoundsError:
    shown = f"{len(value)} characters" if isinstance(value, str) else value
    if isinstance(value, str) and len(value) <= SHORT.most:
        shown = ascii(value)
    return OutOfBoundsError(f"{field}: {rule}, not {shown}")


class _Compiler:
    """Writes the lines that check a value in a variable."""

    def __init__(self, ids: bool) -> None:  # noqa: FBT001 # passed on from a keyword
        self._ids = ids
        self._names = (f"v{number}" for number in itertools.count())

    def struct(self, of: type[msgspec.Struct], value: str, path: str, pad: str) -> list[str]:
        """Return the lines for a struct's fields that have bounds, or hold such."""
        lines: list[str] = []
        for field in msgspec.structs.fields(of):
            name = next(self._names)
            where = f"{path}.{field.name}" if path else field.name
            if inner := list(self._value(field.type, name, where, pad)):
                lines += [f"{pad}{name} = {value}.{field.name}", *inner]
        return lines

    def bound(self, bound: Bound, value: str, where: str, pad: str) -> Iterator[str]:
        """Yield the lines for a value with a bound."""
        match bound:
            case Identifier() if self._ids:
                yield f"{pad}if uuid({value}) is None:"
                yield f"{pad}    raise broken({where!r}, {value}, 'must be a UUID')"
            case Identifier(most) | Text(most):
                yield f"{pad}if len({value}) > {most}:"
                yield f"{pad}    raise broken({where!r}, {value}, 'at most {most} characters')"
                yield f"{pad}if '\\0' in {value}:"
                yield f"{pad}    raise broken({where!r}, {value}, 'no NUL')"
            case Number(least, most):
                yield f"{pad}if not {least} <= {value} <= {most}:"
                yield f"{pad}    raise broken({where!r}, {value}, 'from {least} to {most}')"
            case Count(most):
                yield f"{pad}if len({value}) > {most}:"
                yield f"{pad}    raise broken({where!r}, len({value}), 'at most {most} items')"

    def _value(self, of: Any, value: str, where: str, pad: str) -> Iterator[str]:
        bound, of = bound_of(of), bare(of)
        origin, args = get_origin(of), get_args(of)
        if bound is not None:
            yield from self.bound(bound, value, where, pad)
        if origin in (Union, UnionType):
            (other,) = [arg for arg in args if arg is not NoneType]
            if inner := list(self._value(other, value, where, pad + "    ")):
                yield f"{pad}if {value} is not None:"
                yield from inner
        elif origin is tuple:
            item = next(self._names)
            if inner := list(self._value(args[0], item, f"{where}[]", pad + "    ")):
                yield f"{pad}for {item} in {value}:"
                yield from inner
        elif inspect.isclass(of) and issubclass(of, msgspec.Struct):
            yield from self.struct(of, value, where, pad)
