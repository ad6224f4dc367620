"""Compares what is expected with what a view holds, while both go on: only what stays different is."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from sinks.verify.held import Held, Told
from sinks.verify.sides import Side
from sinks.verify.spool import Spool

MOST = 10_000
"""Differences that are looked at again and named; beyond them they are only counted."""

_BUNCH = 1_000
_MODULO = 2**64


class Kind(StrEnum):
    """How a view differs in a key."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"


class Difference(NamedTuple):
    """A key in which a view differs, and the digests of both."""

    part: str
    key: str
    expected: bytes | None
    held: bytes | None

    @property
    def kind(self) -> Kind:
        """Return how it differs."""
        if self.held is None:
            return Kind.MISSING
        return Kind.EXTRA if self.expected is None else Kind.DIFFERENT


@dataclass
class Sum:
    """Rows and their checksum, whatever their order."""

    rows: int = 0
    checksum: int = 0

    def add(self, digest: bytes, rows: int) -> None:
        """Count what is held of a key."""
        self.rows += rows
        self.checksum = (self.checksum + int.from_bytes(digest[:8])) % _MODULO


@dataclass
class Look:
    """What one look over a view found, by part.

    `more` differences are beyond those that are named, `excused` ones are none.
    """

    expected: dict[str, Sum] = field(default_factory=dict)
    held: dict[str, Sum] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    more: int = 0
    excused: int = 0

    def differs(self, difference: Difference) -> None:
        """Note a difference."""
        if len(self.differences) < MOST:
            self.differences.append(difference)
        else:
            self.more += 1


Excuse = Callable[[Told], bool]
"""Tells whether what is said of a key need not be in the view."""


async def look(parts: Sequence[str], expected: Spool, side: Side, excuse: Excuse | None = None) -> Look:
    """Read a view once and compare each key with what is expected of it. Raises Unreadable."""
    found = Look()
    for part in parts:
        held = found.held[part] = Sum()
        async for bunch in _bunches(side.rows(part)):
            for each in {each.key: each for each in bunch if not expected.seen(part, each.key)}.values():
                held.add(each.digest, each.rows)
                told = expected.get(part, each.key)
                if _digest(told) == each.digest:
                    continue
                if told is not None and excuse is not None and excuse(told):
                    found.excused += 1
                else:
                    found.differs(Difference(part, each.key, _digest(told), each.digest))
            expected.see(part, [each.key for each in bunch])
        said = found.expected[part] = Sum()
        for key, told in expected.items(part):
            said.add(told.digest, told.rows)
            if expected.seen(part, key) or told.rows == 0:
                continue
            if excuse is not None and excuse(told):
                found.excused += 1
            else:
                found.differs(Difference(part, key, told.digest, None))
    return found


async def again(differences: Collection[Difference], expected: Spool, side: Side) -> list[Difference]:
    """Return what differs now in the keys that differed before. Raises Unreadable."""
    parts: dict[str, list[str]] = {}
    for each in differences:
        parts.setdefault(each.part, []).append(each.key)
    left: list[Difference] = []
    for part, keys in parts.items():
        for start in range(0, len(keys), _BUNCH):
            some = keys[start : start + _BUNCH]
            held: Mapping[str, Held] = await side.some(part, some)
            for key in some:
                says, has = _digest(expected.get(part, key)), _digest(held.get(key))
                if says != has:
                    left.append(Difference(part, key, says, has))
    return left


async def copy(parts: Sequence[str], side: Side, into: Spool) -> None:
    """Let what a view holds be what is expected. Raises Unreadable."""
    for part in parts:
        async for bunch in _bunches(side.rows(part)):
            into.write({(part, each.key): each.told() for each in bunch})


async def copy_some(differences: Collection[Difference], side: Side, into: Spool) -> None:
    """Do the same for the keys that differed, as they are now. Raises Unreadable."""
    parts: dict[str, list[str]] = {}
    for each in differences:
        parts.setdefault(each.part, []).append(each.key)
    for part, keys in parts.items():
        for start in range(0, len(keys), _BUNCH):
            some = keys[start : start + _BUNCH]
            held = await side.some(part, some)
            into.write({(part, key): held[key].told() if key in held else None for key in some})


def _digest(what: Told | Held | None) -> bytes | None:
    return None if what is None or what.rows == 0 else what.digest


async def _bunches(rows: AsyncIterator[Held]) -> AsyncIterator[list[Held]]:
    bunch: list[Held] = []
    async for each in rows:
        bunch.append(each)
        if len(bunch) == _BUNCH:
            yield bunch
            bunch = []
    yield bunch
