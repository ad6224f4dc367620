"""The commands that this process works on: from when they are read to when the broker has them.

A process that is asked for more than it can do is late with all of it, and what is looked at ten times a
second shows that too late. So only so many are worked on at once; who comes then is told at once to come
again. A body that comes slowly is nobody's work yet, nor is waiting for an outcome.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Hand:
    """Counts commands in hand, at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: set[object] = set()
        self._mine: ContextVar[object] = ContextVar("command_in_hand")

    @property
    def full(self) -> bool:
        """Tell whether as many are in hand as may be."""
        return len(self._held) >= self._most

    @property
    def has_mine(self) -> bool:
        """Tell whether the request's own command is among them."""
        return self._mine.get(None) in self._held

    @contextmanager
    def request(self) -> Iterator[None]:
        """Let the command of this request be in hand at most as long as the block runs."""
        mine = object()
        token = self._mine.set(mine)
        try:
            yield
        finally:
            self._held.discard(mine)
            self._mine.reset(token)

    def take(self) -> None:
        """Begin with the request's command."""
        mine = self._mine.get(None)
        if mine is not None:
            self._held.add(mine)

    def let_go(self) -> None:
        """Count the request's command as done: the broker has it."""
        self._held.discard(self._mine.get(None))
