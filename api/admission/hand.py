"""The commands that this process works on: from when they are read to when the broker has them.

A process that is asked for more than it can do is late with all of it, and what is looked at ten times a
second shows that too late. So only so many are worked on at once; who comes then is told at once to come
again. A body that comes slowly is nobody's work yet, nor is waiting for an outcome.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from api.admission.shares import Share


class Hand:
    """Counts commands in hand, at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: set[_Command] = set()
        self._mine: ContextVar[_Command] = ContextVar("command_in_hand")

    @property
    def full(self) -> bool:
        """Tell whether as many are in hand as may be."""
        return len(self._held) >= self._most

    @property
    def has_mine(self) -> bool:
        """Tell whether the request's own command is among them."""
        return self._mine.get(None) in self._held

    @contextmanager
    def request(self, share: Share | None = None, client: str = "") -> Iterator[None]:
        """Let the command of this request be in hand at most as long as the block runs.

        What is in hand counts towards its client's share, where one is given.
        """
        mine = _Command(share, client)
        token = self._mine.set(mine)
        try:
            yield
        finally:
            self._drop(mine)
            self._mine.reset(token)

    def take(self) -> None:
        """Begin with the request's command."""
        mine = self._mine.get(None)
        if mine is not None and mine not in self._held:
            self._held.add(mine)
            if mine.share is not None:
                mine.share.take(mine.client)

    def let_go(self) -> None:
        """Count the request's command as done: the broker has it."""
        self._drop(self._mine.get(None))

    def _drop(self, mine: "_Command | None") -> None:
        if mine is not None and mine in self._held:
            self._held.discard(mine)
            if mine.share is not None:
                mine.share.give_back(mine.client)


class _Command:
    def __init__(self, share: Share | None, client: str) -> None:
        self.share = share
        self.client = client
