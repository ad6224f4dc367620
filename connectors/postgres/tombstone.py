"""Compacted topics: a record without a value deletes the row of its key, and no row that is newer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from connectors.postgres.table import Row, Table
from connectors.runtime.projection import Projected, Projection
from connectors.runtime.record import Record

D = TypeVar("D", bound=msgspec.Struct)


class Tombstone(NamedTuple):
    """The row of `table` at `key` is deleted where it comes from a record before `offset`."""

    table: Table
    key: Any
    offset: int


@dataclass(frozen=True, kw_only=True)
class CompactedProjection(Projection[D, Row], Generic[D]):
    """One line of a view's declaration, for a compacted topic that alone feeds `table`.

    `project` makes one row per message; the table's `offset` column is filled in here. `key` makes the
    table's key of a record's: its text by default.
    """

    table: Table
    key: Callable[[str], Any] = str

    def __post_init__(self) -> None:
        if self.table.offset is None or self.table.version is None:
            raise ValueError(f"table {self.table.name}: a row that tombstones delete has version and offset")

    def rows(self, record: Record) -> tuple[Row, ...]:
        """Return the record's rows, or its tombstone.

        Raises UndecodableError, ValueError for a tombstone without a key, or what a projector raises.
        """
        if record.value is None:
            if record.key is None:
                raise ValueError("a record without key and value says nothing")
            return (Tombstone(self.table, self.key(record.key.decode()), record.offset),)
        return tuple(self._placed(row, record.offset) for row in self.made(self._message(record)))

    def projected(self, record: Record) -> Projected:
        """Return what the record became. Raises what `rows` raises."""
        return Projected(self.rows(record))

    def _placed(self, row: Row, offset: int) -> Row:
        if type(row) is not self.table.row:
            return row
        placed: Row = row._replace(**{str(self.table.offset): offset})  # type: ignore[attr-defined] # a NamedTuple
        return placed
