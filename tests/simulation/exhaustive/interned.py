"""Small numbers for things: a state of the world is a row of them."""

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Interned(Generic[T]):
    """Gives each distinct thing a number, and the thing back for the number."""

    def __init__(self) -> None:
        self._numbers: dict[T, int] = {}
        self._things: list[T] = []

    def __len__(self) -> int:
        return len(self._things)

    def number(self, thing: T) -> int:
        """Return the thing's number."""
        found = self._numbers.get(thing)
        if found is None:
            found = self._numbers[thing] = len(self._things)
            self._things.append(thing)
        return found

    def __getitem__(self, number: int) -> T:
        return self._things[number]
