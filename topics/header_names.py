r"""Records whose headers' names are not UTF-8, read by an aiokafka consumer.

Kafka does not look at the bytes of a header's name. aiokafka raises where they are no UTF-8, before anybody
sees the record, and so at each fetch again: the consumer never gets past it. Here such a batch is read a
second time, more slowly, and the names' odd bytes are shown escaped (`\xff`), as other clients do.

This room reaches into aiokafka's fetcher; `tests/unit/topics` pins what it relies on.
"""

from collections.abc import Callable, Iterator
from typing import Any, SupportsIndex, cast

import aiokafka.consumer.fetcher as fetching
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy


def read_any_header_name() -> None:
    """Let all of this process's consumers read such records; once is enough."""
    fetching.MemoryRecords = ReadableRecords


class ReadableRecords:
    """What a fetch has brought of one partition: aiokafka's `MemoryRecords`, batch by batch."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._records = MemoryRecords(data)
        self._batches = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    def has_next(self) -> bool:
        """Tell whether there is another batch."""
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        """Return the next batch."""
        batch, number = self._records.next_batch(), self._batches
        self._batches += 1
        return ReadableBatch(batch, lambda: _escaped(self._data, number))


class ReadableBatch:
    """A batch whose records can be iterated over, whatever their headers' names are."""

    def __init__(self, batch: Any, again: Callable[[], list[Any]]) -> None:
        self._batch = batch
        self._again = again

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except UnicodeDecodeError:
            return iter(self._again())


def _escaped(data: bytes, number: int) -> list[Any]:
    """Return the records of a fetch's batch, by number, with odd bytes of headers' names escaped."""
    batches = _MemoryRecordsPy(data)
    for _ in range(number):
        batches.next_batch()
    # aiokafka's own reader in Python, whose buffer can be another.
    batch: Any = _DefaultRecordBatchPy(bytearray(_bytes_of(batches)))
    batch._maybe_uncompress()  # noqa: SLF001 # as its own iterator does
    batch._buffer = _Escaping(batch._buffer)  # noqa: SLF001 # it takes no other
    return list(batch)


def _bytes_of(batches: _MemoryRecordsPy) -> memoryview:
    """Return the next batch's bytes."""
    return cast("memoryview", batches._next_slice)  # noqa: SLF001 # it only gives what reads strictly


class _Escaping(bytearray):
    """Bytes whose slices decode to text in any case."""

    def __getitem__(self, at: SupportsIndex | slice) -> Any:
        found = super().__getitem__(at)
        return _Slice(found) if isinstance(at, slice) else found


class _Slice(bytes):
    __slots__ = ()

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)
