"""The declaration of a table that a sink writes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

Row = tuple[Any, ...]
"""An instance of a table's row type: a NamedTuple whose fields are the columns."""


# Told apart by identity: a hash over the whole declaration would be taken for each row of a batch.
@dataclass(frozen=True, eq=False)
class Table:
    """A table, the NamedTuple type of its rows, and the columns of its key.

    - With `version`, a row replaces the stored one where its version is higher.
    - With `owner`, the rows belong to a row of the owner table, whose key column they share: when the owner's
      row is replaced, so are they, as a whole.
    - With neither, rows are only ever added; one that is there stays as it is.
    - With `offset`, the column that holds the offset of the row's record, tombstones may delete rows.
    - With `month`, a column of times in its key, it is partitioned by the month of that, UTC.
    """

    name: str
    row: type[Row]
    key: tuple[str, ...]
    version: str | None = None
    owner: "Table | None" = None
    offset: str | None = None
    month: str | None = None

    def __post_init__(self) -> None:
        wanted = {*self.key, *filter(None, (self.version, self.offset, self.month))}
        if missing := wanted - set(self.columns):
            raise ValueError(f"table {self.name}: {self.row.__name__} has no {', '.join(sorted(missing))}")
        if self.owner is None:
            return
        if self.version or self.owner.version is None or len(self.owner.key) != 1:
            raise ValueError(f"table {self.name}: its owner must be versioned and have a key of one column")
        if self.owner.key[0] not in self.columns:
            raise ValueError(f"table {self.name}: {self.row.__name__} has no {self.owner.key[0]}")

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return the columns' names, in the order of the row's fields."""
        fields: tuple[str, ...] = self.row._fields  # type: ignore[attr-defined] # every NamedTuple has it
        return fields

    @cached_property
    def key_of(self) -> Callable[[Row], Any]:
        """Return what takes the key out of a row: the value of a single column, else a tuple."""
        return itemgetter(*(self.columns.index(column) for column in self.key))

    @cached_property
    def version_of(self) -> Callable[[Row], int]:
        """Return what takes the version out of a row; raises ValueError where the table has none."""
        if self.version is None:
            raise ValueError(f"table {self.name} has no version")
        return itemgetter(self.columns.index(self.version))

    @cached_property
    def owner_key_of(self) -> Callable[[Row], Any]:
        """Return what takes the owner's key out of a row; raises ValueError where the table has no owner."""
        if self.owner is None:
            raise ValueError(f"table {self.name} has no owner")
        return itemgetter(self.columns.index(self.owner.key[0]))
