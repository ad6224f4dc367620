"""Encoders compiled from a locked schema: straight-line code for one record, several times as fast.

A record is one join of small byte strings; the general writer walks the schema for each and copies the
message into dictionaries first. What does not fit raises some error here, and the general writer says which.
Specification: Apache Avro 1.12, "Binary Encoding".
"""

import itertools
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from schemas.avro import Schema

Encoder = Callable[..., bytes]

# Said by many records in a row, so remembered as bytes.
_REPEATED: Final = frozenset({"event_type", "aggregate_type", "source", "tenant_id", "currency"})
_SEVEN_BITS: Final = 0x7F
_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 63) - 1


@lru_cache(maxsize=8192)
def long(value: int) -> bytes:
    """Return a long: zigzag, seven bits to a byte. OverflowError beyond 64 bits, TypeError for no number."""
    if not _LEAST <= value <= _MOST:
        raise OverflowError(f"{value} is not a long")
    left = (value << 1) ^ (value >> 63)
    out = bytearray()
    while left > _SEVEN_BITS:
        out.append(left & _SEVEN_BITS | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


@lru_cache(maxsize=1024)
def _text(value: str) -> bytes:
    encoded = value.encode()
    return long(len(encoded)) + encoded


def compile_encoder(header: bytes, schema: Schema) -> Encoder:
    """Return a function from a message to `header` and its bytes."""
    compiler = _Compiler()
    body = compiler.record(schema, "message", "    ")
    return _compiled(compiler, "message", [f"parts = [{header!r}]", "add = parts.append"], body)


def compile_shared(fields: Sequence[Schema]) -> Encoder:
    """Return a function from the given fields, as positional arguments, to their bytes."""
    compiler = _Compiler()
    names = ", ".join(field["name"] for field in fields)
    return _compiled(
        compiler, names, ["parts = []", "add = parts.append"], compiler.fields(fields, "", "    ")
    )


def compile_own(
    header: bytes, schema: Schema, shared: Sequence[str], constants: Mapping[str, str], names: Sequence[str]
) -> Encoder:
    """Return a function to a message's bytes from `names`, its fields that are neither shared nor constant.

    The bytes of the `shared` fields, which follow one another, come as one argument of that name.
    """
    compiler = _Compiler()

    def body() -> Iterator[str]:
        for field in schema["fields"]:
            if field["name"] in constants:
                yield f"    add({_text(constants[field['name']])!r})"
            elif field["name"] not in shared:
                yield from compiler.fields([field], "", "    ")
            elif field["name"] == shared[0]:
                yield "    add(shared)"

    arguments = ", ".join(("shared", *names))
    return _compiled(compiler, arguments, [f"parts = [{header!r}]", "add = parts.append"], body())


def _compiled(compiler: "_Compiler", arguments: str, opening: list[str], body: Iterable[str]) -> Encoder:
    lines = [f"def encode({arguments}):", *(f"    {line}" for line in opening), *_gathered(body)]
    source = "\n".join([*lines, "    return b''.join(parts)"])
    space: dict[str, Any] = {
        "long": long,
        "text": _text,
        "double": struct.Struct("<d").pack,
        **compiler.constants,
    }
    exec(compile(source, f"<encoder of {arguments}>", "exec"), space)  # noqa: S102 - from the lock's schemas
    made: Encoder = space["encode"]
    return made


def _gathered(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines with neighbouring `add`s made one: a call for each piece is a third of the time.

    An assignment may go before the `add`s that it stands between: no name is assigned twice but in loops.
    """
    waiting: list[str] = []
    depth = ""
    for line in (*lines, ""):
        code = line.lstrip()
        pad = line[: len(line) - len(code)]
        adds, assigns = code.startswith("add("), " = " in code and not code.endswith(":")
        if waiting and (pad != depth or not (adds or assigns)):
            yield f"{depth}parts += ({', '.join(waiting)},)"
            waiting = []
        if adds:
            waiting.append(code[len("add(") : -1])
            depth = pad
        elif code:
            yield line


class _Compiler:
    """Writes the lines that append a value's bytes."""

    def __init__(self) -> None:
        self.constants: dict[str, Any] = {}
        self._named: dict[str, Schema] = {}
        self._names = (f"v{number}" for number in itertools.count())

    def record(self, schema: Schema, value: str, pad: str) -> Iterator[str]:
        """Yield the lines for a record in the variable `value`."""
        yield from self.fields(schema["fields"], f"{value}.", pad)

    def fields(self, fields: Iterable[Schema], where: str, pad: str) -> Iterator[str]:
        """Yield the lines for fields, each called `where` and its name."""
        for field in fields:
            name = where + field["name"]
            if field["name"] in _REPEATED and field["type"] == "string":
                yield f"{pad}add(text({name}))"
                continue
            if where:
                name = next(self._names)
                yield f"{pad}{name} = {where}{field['name']}"
            yield from self._value(field["type"], name, pad)

    def _value(self, schema: Any, value: str, pad: str) -> Iterator[str]:
        kind = schema["type"] if isinstance(schema, dict) else schema
        if isinstance(schema, list):
            yield f"{pad}if {value} is None:"
            yield f"{pad}    add(b'\\x00')"
            yield f"{pad}else:"
            yield f"{pad}    add(b'\\x02')"
            yield from self._value(schema[1], value, pad + "    ")
        elif kind in {"string", "bytes"}:
            encoded = next(self._names) if kind == "string" else value
            if kind == "string":
                yield f"{pad}{encoded} = {value}.encode()"
            yield f"{pad}add(long(len({encoded})))"
            yield f"{pad}add({encoded})"
        elif kind == "long":
            yield f"{pad}add(long({value}))"
        elif kind == "boolean":
            yield f"{pad}add(b'\\x01' if {value} else b'\\x00')"
        elif kind == "double":
            yield f"{pad}add(double({value}))"
        elif kind in {"array", "map"}:
            yield from self._block(schema, value, pad)
        elif kind == "record":
            self._remember(schema)
            yield from self.record(schema, value, pad)
        elif kind == "enum":
            self._remember(schema)
            table = next(self._names)
            self.constants[table] = {symbol: long(index) for index, symbol in enumerate(schema["symbols"])}
            yield f"{pad}add({table}[{value}])"
        else:
            yield from self._value(self._named[kind], value, pad)

    def _block(self, schema: Schema, value: str, pad: str) -> Iterator[str]:
        item = next(self._names)
        yield f"{pad}if {value}:"
        yield f"{pad}    add(long(len({value})))"
        if schema["type"] == "map":
            key = next(self._names)
            yield f"{pad}    for {key}, {item} in {value}.items():"
            yield f"{pad}        add(text({key}))"
            yield from self._value(schema["values"], item, pad + " " * 8)
        else:
            yield f"{pad}    for {item} in {value}:"
            yield from self._value(schema["items"], item, pad + " " * 8)
        yield f"{pad}add(b'\\x00')"

    def _remember(self, schema: Schema) -> None:
        self._named[f"{schema['namespace']}.{schema['name']}"] = schema
