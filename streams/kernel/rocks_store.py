"""The store on RocksDB: the partition's database of a Faust table, written in whole batches."""

import time
from collections.abc import Iterator, Sequence

import rocksdict
from faust.stores.rocksdb import Store as FaustStore

from streams.kernel.layout import FAUST_OFFSET, WRITTEN
from streams.kernel.ports import Entry

_CLEARED_AT_ONCE = 10_000


class RocksStore:
    """One partition of a Faust table's RocksDB store; Faust opens and closes the database."""

    def __init__(self, store: FaustStore, partition: int) -> None:
        self._store = store
        self._partition = partition

    def get(self, key: bytes) -> bytes | None:
        """Return the stored bytes, or None."""
        value: bytes | None = self._database.get(key)
        return value

    def write(self, entries: Sequence[Entry], offset: int | None) -> None:
        """Write all entries and the changelog offset as one RocksDB batch."""
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in entries:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        if offset is not None:
            batch.put(FAUST_OFFSET, str(offset).encode())
            batch.put(WRITTEN, str(time.time_ns() // 1_000_000).encode())
        self._database.write(batch)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over all keys and values."""
        yield from self._database.items()

    def offset(self) -> int | None:
        """Return the changelog offset that the store is at, or None for an empty store."""
        stored = self.get(FAUST_OFFSET)
        return None if stored is None else int(stored)

    def written_at(self) -> int:
        """Return when (ms) the store was last brought to a changelog offset; 0 for an empty one."""
        return int(self.get(WRITTEN) or 0)

    def clear(self) -> None:
        """Delete everything: the changelog has it."""
        doomed: list[Entry] = []
        for key, _ in self.items():  # noqa: PERF102 - the rule takes this for a dict
            doomed.append((key, None))
            if len(doomed) >= _CLEARED_AT_ONCE:
                self.write(doomed, None)
                doomed = []
        self.write(doomed, None)

    @property
    def _database(self) -> rocksdict.Rdict:
        # Asked for each time: Faust drops the handle of a partition that is revoked.
        database: rocksdict.Rdict = self._store._db_for_partition(self._partition)  # noqa: SLF001 - no public way
        return database
