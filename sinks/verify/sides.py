"""A view as a comparison reads it."""

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Protocol

from sinks.verify.held import Held


class Unreadable(Exception):  # noqa: N818 - a state that is told, as a server's are
    """The server of a view does not answer, or refuses."""


class Side(Protocol):
    """What one server holds, by part: a table, an index, a kind of keys. Raises Unreadable."""

    def rows(self, part: str) -> AsyncIterator[Held]:
        """Yield every key of a part at least once, in no order; nothing where the part is not there."""
        ...

    async def some(self, part: str, keys: Collection[str]) -> Mapping[str, Held]:
        """Return those of the keys that are there, as of now."""
        ...
