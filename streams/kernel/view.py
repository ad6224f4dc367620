"""A partition's states as handlers see them: what this batch changed, over a cache, over the store."""

from collections.abc import Iterator
from typing import Final, Generic, TypeVar

import msgspec

from streams.kernel.errors import CorruptStateError
from streams.kernel.layout import is_state
from streams.kernel.ports import Entry, Store
from tables.table import Table

S = TypeVar("S", bound=msgspec.Struct)

CACHED_STATES = 50_000


class _Missing:
    """The mark of a key that is not in a mapping; None there means a deleted state."""


_MISSING: Final = _Missing()


class StateView(Generic[S]):
    """Write-through view of one partition of a table.

    `put` stages a change; `encode` gives the staged changes as bytes, each key once; `settle` makes them the
    cached truth when they are durable, `discard` forgets them.
    """

    def __init__(self, table: Table[S], store: Store, limit: int = CACHED_STATES) -> None:
        self._table = table
        self._store = store
        self._limit = limit
        self._cache: dict[bytes, S | None] = {}
        self._staged: dict[bytes, S | None] = {}

    def get(self, key: bytes) -> S | None:
        """Return the key's state. Raises CorruptStateError where its bytes are not of the table's record."""
        staged = self._staged.get(key, _MISSING)
        if not isinstance(staged, _Missing):
            return staged
        cached = self._cache.get(key, _MISSING)
        if not isinstance(cached, _Missing):
            return cached
        state = self._decode(key, self._store.get(key))
        self._remember(key, state)
        return state

    def put(self, key: bytes, state: S | None) -> None:
        """Stage the key's new state; None deletes it."""
        self._staged[key] = state

    def encode(self) -> list[Entry]:
        """Return the staged changes as entries for changelog and store."""
        encode = self._table.encode
        return [(key, None if state is None else encode(state)) for key, state in self._staged.items()]

    def settle(self) -> dict[bytes, S | None]:
        """Make the staged changes part of the cache, and return them."""
        settled, self._staged = self._staged, {}
        for key, state in settled.items():
            self._cache.pop(key, None)
            self._remember(key, state)
        return settled

    def discard(self) -> None:
        """Forget the staged changes."""
        self._staged = {}

    def scan(self) -> Iterator[tuple[bytes, S]]:
        """Iterate over the stored states, past the cache."""
        for key, value in self._store.items():
            if is_state(key):
                state = self._decode(key, value)
                if state is not None:
                    yield key, state

    def _decode(self, key: bytes, value: bytes | None) -> S | None:
        if value is None:
            return None
        try:
            return self._table.decode(value)
        except msgspec.MsgspecError as error:
            raise CorruptStateError(f"table {self._table.name}, key {key!r}: {error}") from error

    def _remember(self, key: bytes, state: S | None) -> None:
        cache = self._cache
        cache[key] = state
        if len(cache) > self._limit:
            # A dict keeps insertion order, so the first keys are those changed or read longest ago.
            for old in list(cache)[: self._limit // 10]:
                del cache[old]
