"""The contract between the runtime and a sink: after Quix Streams' batching sink, with refusals named.

`write` is add and flush in one: the runtime gathers the batch.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

import msgspec

from connectors.runtime.record import Record

R_contra = TypeVar("R_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class SinkUnavailableError(Exception):
    """The server cannot take the batch now, whatever is in it: the runtime pauses and tries again."""


class BatchRefusedError(Exception):
    """The server refused the batch because of what is in it, and nothing of it was written.

    The runtime finds the bad entry by bisection. `code` is the server's own word for the error: an SQLSTATE,
    a type of Elasticsearch's.
    """

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class SinkBehindError(Exception):
    """What the server holds lacks records that count as read: it was put back to an older state.

    The connector ends; where it begins again, it reads from where the server's own offsets say.
    """


# A struct of C, as one is made for every record that is written.
class Entry(msgspec.Struct, Generic[R_co], frozen=True, gc=False):
    """A record and the rows that it becomes. Its rows are written together."""

    record: Record
    rows: tuple[R_co, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The entry at `index` of a batch was refused by the server; the rest of the batch is written."""

    index: int
    error: str
    code: str | None = None


class Sink(Protocol[R_contra]):
    """Writes batches to one server. It connects when it first writes, and again when it was cut off."""

    async def write(self, batch: Sequence[Entry[R_contra]]) -> Sequence[Refusal]:
        """Write the batch durably and return the entries that the server refused.

        Writing again what is written, or an older version of it, must change nothing. Raises
        SinkUnavailableError where the server cannot be reached or is not set up, and BatchRefusedError where
        it refused the batch without saying which entry it means.
        """
        ...

    async def close(self) -> None:
        """Disconnect; does nothing where not connected."""
        ...


@runtime_checkable
class KeepsOffsets(Protocol):
    """A sink that keeps beside what it writes how far that is: who reads for it goes by that."""

    async def starts(self, places: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], int]:
        """Return the next offset of those topics' partitions of which the server has one.

        Raises SinkUnavailableError.
        """
        ...

    async def passed(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Note up to where all is written or dealt with otherwise; raises as `write` does."""
        ...
