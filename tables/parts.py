"""Parts: a state's entries that are kept each on its own, so that one of many can change without the rest."""

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from immutables import Map

P = TypeVar("P")

_UNTOUCHED: Final[Map[str, Any]] = Map()


def _none(_: str) -> None:
    return None


def _unbound(name: str) -> None:
    raise LookupError(f"part {name!r} was asked of a state that was read without its store")


class Parts(Generic[P]):
    """Parts by name, as a handler sees them. Persistent: a change gives a new one and leaves this as it was.

    The state's own entry holds only their number. `stored` reads one as the store has it; `changed` is what
    differs from that, None where a part is deleted. A state whose bytes were read without a store knows how
    many it has, and raises LookupError where one is asked for.
    """

    __slots__ = ("_changed", "_count", "_stored")

    def __init__(
        self,
        count: int = 0,
        stored: Callable[[str], P | None] | None = None,
        changed: Map[str, P | None] = _UNTOUCHED,
    ) -> None:
        self._count = count
        self._stored = stored if stored is not None else _unbound if count else _none
        self._changed = changed

    @property
    def changed(self) -> Map[str, P | None]:
        """Return the parts that differ from the stored ones."""
        return self._changed

    def get(self, name: str) -> P | None:
        """Return a part, or None."""
        if name in self._changed:
            return self._changed[name]
        return self._stored(name) if self._count else None

    def set(self, name: str, part: P) -> "Parts[P]":
        """Return these parts with one more, or with another value of one."""
        count = self._count + (self.get(name) is None)
        return Parts(count, self._stored, self._changed.set(name, part))

    def delete(self, name: str) -> "Parts[P]":
        """Return these parts without one. Raises KeyError where there is none of that name."""
        if self.get(name) is None:
            raise KeyError(name)
        return Parts(self._count - 1, self._stored, self._changed.set(name, None))

    def settled(self, stored: Callable[[str], P | None]) -> "Parts[P]":
        """Return the same parts, now that `stored` has what was changed."""
        return Parts(self._count, stored)

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    def __eq__(self, other: object) -> bool:
        """Compare what is known without the store: how many there are, and what was changed."""
        if not isinstance(other, Parts):
            return NotImplemented
        return (self._count, self._changed) == (other._count, other._changed)

    def __hash__(self) -> int:
        return hash((self._count, self._changed))

    def __repr__(self) -> str:
        return f"Parts({self._count}, changed={dict(self._changed)!r})"
