"""What the kernel needs from the world: a record, a store, a changelog, a publisher, a clock.

The Kafka binding (`faust_app`) and the in-memory driver (`driver`) both implement these, so that the code in
between, which decides, is the same in production, in tests and in simulation.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

Headers = Sequence[tuple[str, bytes | None]]
"""Names and values; a header may have none."""

Content = tuple[bytes | None, bytes | None, Headers]
"""What a record holds: key, value, headers."""

Clock = Callable[[], int]
"""The current time in milliseconds since the epoch, UTC."""

Entry = tuple[bytes, bytes | None]
"""A key and its last value; None deletes the key."""


class Record(Protocol):
    """A raw record of a source topic; Faust's and aiokafka's own records are such."""

    @property
    def topic(self) -> str:
        """Name of the topic."""

    @property
    def partition(self) -> int:
        """Partition of the topic."""

    @property
    def offset(self) -> int:
        """Offset in the partition."""

    @property
    def key(self) -> bytes | None:
        """Raw key."""

    @property
    def value(self) -> bytes | None:
        """Raw value."""

    @property
    def headers(self) -> Headers:
        """Headers, in their order."""


class Output(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An encoded record on its way out; its partition follows from its key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Store(Protocol):
    """The local key-value store of one partition of one table."""

    def get(self, key: bytes) -> bytes | None:
        """Return the stored bytes, or None."""

    def write(self, entries: Sequence[Entry], offset: int | None) -> None:
        """Write all entries, and the changelog offset that they bring the store to, at once."""

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over all keys and values, the kernel's own included."""


class Changelog(Protocol):
    """The changelog partition from which the store is restored."""

    async def append(self, entries: Sequence[Entry]) -> int:
        """Append the entries as one atomic record batch and return the offset of its last record.

        Returns only when the broker has it; raises `OwnershipLostError` where another owner has taken over.
        """


class Publisher(Protocol):
    """The way out for a batch's outputs."""

    async def publish(self, outputs: Sequence[Output]) -> None:
        """Send the outputs, in order per partition; return when the broker has them all."""
