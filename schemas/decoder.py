"""Decoders compiled from a message type: straight-line code from bytes to structs, without dictionaries.

For records that were written under the type's own schema, which is all of them but old ones. What is not
such a record raises some error here, and the general reader says which rule it breaks.
Specification: Apache Avro 1.12, "Binary Encoding".
"""

import enum
import inspect
import itertools
import struct
from collections.abc import Callable, Iterator
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from schemas.bounds import bare
from schemas.envelope import Message

Decoder = Callable[[bytes, int], Any]

_LONG_BITS = 64
_SEVEN_BITS = 0x7F
_MORE_TO_COME = 0x80

_SHORT = [(number >> 1) ^ -(number & 1) for number in range(_MORE_TO_COME)]
"""Longs of one byte, by that byte."""


def _more(value: bytes, at: int) -> tuple[int, int]:
    """Return the number of several bytes that begins at `at`, zigzag and all, and where it ends."""
    # Written out up to the six bytes that a time in milliseconds has. What a byte's highest bit adds is taken
    # away with the next byte.
    byte = value[at + 1]
    low = value[at] - 0x80 + (byte << 7)
    if byte < _MORE_TO_COME:
        return (low >> 1) ^ -(low & 1), at + 2
    byte = value[at + 2]
    low += (byte << 14) - (0x80 << 7)
    if byte < _MORE_TO_COME:
        return (low >> 1) ^ -(low & 1), at + 3
    byte = value[at + 3]
    low += (byte << 21) - (0x80 << 14)
    if byte < _MORE_TO_COME:
        return (low >> 1) ^ -(low & 1), at + 4
    byte = value[at + 4]
    low += (byte << 28) - (0x80 << 21)
    if byte < _MORE_TO_COME:
        return (low >> 1) ^ -(low & 1), at + 5
    byte = value[at + 5]
    low += (byte << 35) - (0x80 << 28)
    at += 6
    if byte < _MORE_TO_COME:
        return (low >> 1) ^ -(low & 1), at
    low -= 0x80 << 35
    shift = 35
    while byte & _MORE_TO_COME and shift < _LONG_BITS - 7:
        shift += 7
        byte = value[at]
        at += 1
        low |= (byte & _SEVEN_BITS) << shift
    if byte & _MORE_TO_COME or low >> _LONG_BITS:
        raise OverflowError("a long has more than 64 bits")
    return (low >> 1) ^ -(low & 1), at


def compile_decoder(data: type[msgspec.Struct]) -> Decoder:
    """Return a function from a record's bytes, and where in them it begins, to its `Message[data]`."""
    compiler = _Compiler(data)
    body = list(compiler.struct(Message, "message", "    "))
    source = "\n".join(
        [
            "def decode(value, at):",
            *body,
            "    if at != len(value):",
            "        raise ValueError(at)",
            "    return message",
        ]
    )
    space: dict[str, Any] = {
        "more": _more,
        "short": _SHORT,
        "double": struct.Struct("<d").unpack_from,
        **compiler.constants,
    }
    exec(compile(source, f"<decoder of {data.__name__}>", "exec"), space)  # noqa: S102 - from our own types
    made: Decoder = space["decode"]
    return made


class _Compiler:
    """Writes the lines that read a value into a variable."""

    def __init__(self, data: type[msgspec.Struct]) -> None:
        self.constants: dict[str, Any] = {}
        self._data = data
        self._names = (f"v{number}" for number in itertools.count())

    def struct(self, of: type[msgspec.Struct], into: str, pad: str) -> Iterator[str]:
        """Yield the lines for a struct."""
        arguments = []
        by_name = any(part.kind is part.KEYWORD_ONLY for part in inspect.signature(of).parameters.values())
        for field in msgspec.structs.fields(of):
            name = next(self._names)
            kind = self._data if of is Message and field.name == "data" else field.type
            yield from self._value(kind, name, pad)
            arguments.append(f"{field.name}={name}" if by_name else name)
        made = self._constant(of)
        yield f"{pad}{into} = {made}({', '.join(arguments)})"

    def _value(self, of: Any, into: str, pad: str) -> Iterator[str]:
        of = bare(of)
        origin, args = get_origin(of), get_args(of)
        if of in {str, bytes}:
            yield from self._bytes(into, pad, "{0}.decode()" if of is str else "{0}")
        elif of is int:
            yield from self._long(into, pad)
        elif of is bool:
            yield f"{pad}{into} = (False, True)[value[at]]"
            yield f"{pad}at += 1"
        elif of is float:
            yield f"{pad}({into},) = double(value, at)"
            yield f"{pad}at += 8"
        elif origin in (Union, UnionType):
            (other,) = [arg for arg in args if arg is not NoneType]
            yield f"{pad}{into} = value[at]"
            yield f"{pad}at += 1"
            yield f"{pad}if {into} == 0:"
            yield f"{pad}    {into} = None"
            yield f"{pad}elif {into} == 2:"
            yield from self._value(other, into, pad + "    ")
            yield f"{pad}else:"
            yield f"{pad}    raise ValueError(at)"
        elif origin in (tuple, dict):
            yield from self._blocks(args, into, pad)
        elif inspect.isclass(of) and issubclass(of, enum.StrEnum):
            index = next(self._names)
            yield from self._long(index, pad)
            yield f"{pad}if {index} < 0:"
            yield f"{pad}    raise ValueError({index})"
            yield f"{pad}{into} = {self._constant(tuple(of))}[{index}]"
        else:
            yield from self.struct(of, into, pad)

    @staticmethod
    def _long(into: str, pad: str) -> Iterator[str]:
        yield f"{pad}{into} = value[at]"
        yield f"{pad}if {into} > 127:"
        yield f"{pad}    {into}, at = more(value, at)"
        yield f"{pad}else:"
        yield f"{pad}    {into} = short[{into}]"
        yield f"{pad}    at += 1"

    def _bytes(self, into: str, pad: str, made: str) -> Iterator[str]:
        size = next(self._names)
        yield from self._long(size, pad)
        yield f"{pad}if {size} < 0:"
        yield f"{pad}    raise ValueError({size})"
        # A size that runs over the end is found out there: whatever is read next fails, or the end does.
        yield f"{pad}{size} += at"
        yield f"{pad}{into} = {made.format(f'value[at:{size}]')}"
        yield f"{pad}at = {size}"

    def _blocks(self, args: tuple[Any, ...], into: str, pad: str) -> Iterator[str]:
        """Yield the lines for an array or a map: counted blocks up to an empty one."""
        key, item, count, size = (next(self._names) for _ in range(4))
        is_map = args[-1] is not Ellipsis
        inner = pad + " " * 8
        yield f"{pad}{into} = {'{}' if is_map else '[]'}"
        yield f"{pad}while True:"
        yield from self._long(count, pad + "    ")
        yield f"{pad}    if {count} == 0:"
        yield f"{pad}        break"
        yield f"{pad}    if {count} < 0:"
        yield from self._long(size, inner)
        yield f"{pad}        {count} = -{count}"
        yield f"{pad}    for _ in range({count}):"
        if is_map:
            yield from self._value(str, key, inner)
            yield from self._value(args[1], item, inner)
            yield f"{inner}{into}[{key}] = {item}"
        else:
            yield from self._value(args[0], item, inner)
            yield f"{inner}{into}.append({item})"
        if not is_map:
            yield f"{pad}{into} = tuple({into})"

    def _constant(self, value: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name
