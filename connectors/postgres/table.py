"""The declaration of a table that a sink writes."""

from dataclasses import dataclass
from functools import cached_property
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
    """

    name: str
    row: type[Row]
    key: tuple[str, ...]
    version: str | None = None
    owner: "Table | None" = None

    def __post_init__(self) -> None:
        wanted = {*self.key, *((self.version,) if self.version else ())}
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

    def key_of(self, row: Row) -> Row:
        """Return the row's key."""
        return tuple(row[index] for index in self._key_indices)

    def version_of(self, row: Row) -> int:
        """Return the row's version; 0 where the table has none."""
        return 0 if self._version_index is None else int(row[self._version_index])

    def owner_key_of(self, row: Row) -> Row:
        """Return the key of the owner's row; raises ValueError where the table has no owner."""
        if self._owner_index is None:
            raise ValueError(f"table {self.name} has no owner")
        return (row[self._owner_index],)

    @cached_property
    def _key_indices(self) -> tuple[int, ...]:
        return tuple(self.columns.index(column) for column in self.key)

    @cached_property
    def _owner_index(self) -> int | None:
        return None if self.owner is None else self.columns.index(self.owner.key[0])

    @cached_property
    def _version_index(self) -> int | None:
        return None if self.version is None else self.columns.index(self.version)
