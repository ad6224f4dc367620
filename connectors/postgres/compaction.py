"""What of a batch is worth sending: per key the highest version, and what belongs to it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from connectors.postgres.table import Row, Table
from connectors.postgres.tombstone import Tombstone


class Compacted(NamedTuple):
    """The rows to write by table, and the keys to delete before them, each with its tombstone's offset."""

    rows: dict[Table, list[Row]]
    deleted: dict[Table, dict[Any, int]]

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to do."""
        return not self.rows and not self.deleted


def compact(batch: Iterable[Sequence[Row]], tables: Mapping[type, Table]) -> Compacted:
    """Return the rows to write by table; versioned ones in the order of their keys, one per key.

    `batch` holds the rows of one record after the other. Of several versions of a row the highest counts, of
    equal ones the first; what comes before a tombstone does not count. Owned rows go with the record whose
    owner row counts. Rows that are only ever added stay as they are. Raises KeyError where a row's type
    belongs to no table.
    """
    best: dict[Table, dict[Any, tuple[Row, int]]] = {}
    kept: dict[Table, list[Row]] = {}
    owned: list[tuple[Table, Row, int]] = []
    deleted: dict[Table, dict[Any, int]] = {}
    for position, rows in enumerate(batch):
        for row in rows:
            if type(row) is Tombstone:
                deleted.setdefault(row.table, {})[row.key] = row.offset
                best.get(row.table, {}).pop(row.key, None)
                continue
            table = tables[type(row)]
            if table.version is not None:
                known = best.setdefault(table, {})
                key = table.key_of(row)
                if key not in known or table.version_of(row) > table.version_of(known[key][0]):
                    known[key] = (row, position)
            elif table.owner is not None:
                owned.append((table, row, position))
            else:
                kept.setdefault(table, []).append(row)
    # Writers that lock rows in one order do not lock each other out.
    kept |= {table: [rows[key][0] for key in sorted(rows)] for table, rows in best.items() if rows}
    for table, row, position in owned:
        assert table.owner is not None
        winner = best.get(table.owner, {}).get(table.owner_key_of(row))
        if winner is not None and winner[1] == position:
            kept.setdefault(table, []).append(row)
    return Compacted(kept, {table: dict(sorted(keys.items())) for table, keys in deleted.items()})
