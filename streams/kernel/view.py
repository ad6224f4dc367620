"""A partition's states as handlers see them: what this batch changed, over a cache, over the store."""

from collections.abc import Callable, Iterator
from copy import copy
from functools import partial
from typing import Any, Final, Generic, TypeVar

import msgspec

from streams.kernel.errors import CorruptStateError, InvalidDecisionError
from streams.kernel.layout import is_state, part_key
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
    cached truth when they are durable, `discard` forgets them. Of a state's parts only the changed ones are
    written; others are read when a handler asks for them.
    """

    def __init__(self, table: Table[S], store: Store, limit: int = CACHED_STATES) -> None:
        self._table = table
        self._store = store
        self._limit = limit
        self._cache: dict[bytes, S | None] = {}
        self._staged: dict[bytes, S | None] = {}
        # The parts' changes of states that were deleted later in the same batch.
        self._left: dict[bytes, Any] = {}
        # The parts read for this batch: a handler that looks one up often changes it next.
        self._read: dict[bytes, Any] = {}

    def get(self, key: bytes) -> S | None:
        """Return the key's state. Raises CorruptStateError where its bytes are not of the table's record."""
        staged = self._staged.get(key, _MISSING)
        if not isinstance(staged, _Missing):
            return staged
        cached = self._cache.get(key, _MISSING)
        if not isinstance(cached, _Missing):
            return cached
        value = self._store.get(key)
        state = None if value is None else self._bound(key, self._decode(self._table.decode, key, value))
        self._remember(key, state)
        return state

    def put(self, key: bytes, state: S | None) -> None:
        """Stage the key's new state; None deletes it.

        Raises InvalidDecisionError for the deletion of a state that has parts: they would stay for ever.
        """
        if state is None and (before := self.get(key)) is not None:
            parts = self._table.parts_of(before)
            if len(parts):
                raise InvalidDecisionError(f"a state with {len(parts)} parts cannot be deleted")
            self._left.update((part_key(key, name), part) for name, part in parts.changed.items())
        self._staged[key] = state

    def encode(self) -> list[Entry]:
        """Return the staged changes as entries for changelog and store."""
        table = self._table
        encode = table.encode
        entries = [(key, None if state is None else encode(state)) for key, state in self._staged.items()]
        if table.parts is not None:
            changed = self._left | {
                part_key(key, name): part
                for key, state in self._staged.items()
                if state is not None
                for name, part in table.parts_of(state).changed.items()
            }
            encode_part = table.encode_part
            entries += [(key, None if part is None else encode_part(part)) for key, part in changed.items()]
        return entries

    def settle(self) -> dict[bytes, S | None]:
        """Make the staged changes part of the cache, and return them."""
        settled = self._staged
        self.discard()
        for key, state in settled.items():
            self._cache.pop(key, None)
            self._remember(key, None if state is None else self._bound(key, state))
        return settled

    def discard(self) -> None:
        """Forget the staged changes."""
        self._staged, self._left, self._read = {}, {}, {}

    def scan(self) -> Iterator[tuple[bytes, S]]:
        """Iterate over the stored states, past the cache, without their parts."""
        for key, value in self._store.items():
            if is_state(key):
                yield key, self._decode(self._table.decode, key, value)

    def _bound(self, key: bytes, state: S) -> S:
        """Return the state with its parts as the store has them."""
        field = self._table.parts
        if field is None:
            return state
        bound = copy(state)
        parts = self._table.parts_of(state).settled(partial(self._part, key))
        msgspec.structs.force_setattr(bound, field, parts)
        return bound

    def _part(self, key: bytes, name: str) -> Any:
        entry = part_key(key, name)
        part = self._read.get(entry, _MISSING)
        if isinstance(part, _Missing):
            value = self._store.get(entry)
            part = None if value is None else self._decode(self._table.decode_part, entry, value)
            self._read[entry] = part
        return part

    def _decode(self, decode: Callable[[bytes], Any], key: bytes, value: bytes) -> Any:
        try:
            return decode(value)
        except msgspec.MsgspecError as error:
            raise CorruptStateError(f"table {self._table.name}, key {key!r}: {error}") from error

    def _remember(self, key: bytes, state: S | None) -> None:
        cache = self._cache
        cache[key] = state
        if len(cache) > self._limit:
            # A dict keeps insertion order, so the first keys are those changed or read longest ago.
            for old in list(cache)[: self._limit // 10]:
                del cache[old]
