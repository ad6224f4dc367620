"""PostgreSQL in memory, for the statements that the real sink makes; any other is an error.

A statement is recognised by its text, and whether a row may replace another is read from that text, too: a
merge without its version guard behaves here as it would there. Offsets stand beside the rows, and the table
of movements has no key: a record that is written twice is there twice.
"""

import itertools
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from connectors.postgres import offsets, statements
from connectors.postgres.sink import PostgresSink
from connectors.postgres.table import Row, Table
from sinks.inventory.rows import STOCK_MOVEMENTS
from sinks.postgres import GROUP, TABLES
from tests.simulation.effects import effect

_FIND = re.compile(r"SELECT (\w+) FROM (\w+) WHERE \1 = ANY\(\$1\)")
_OFFSETS = "sink_offsets"
_ONWARD = "SET next_offset = greatest(before.next_offset, given.next_offset)"


def _owner(table: Table, row: Row) -> Any:
    assert table.owner is not None
    return getattr(row, table.owner.key[0])


def _newer(table: Table, row: Row, than: Row) -> bool:
    assert table.version is not None
    return bool(getattr(row, table.version) > getattr(than, table.version))


class Database:
    """The tables' rows, by key; where a table is `keyless`, by a number of their own."""

    def __init__(
        self, tables: Sequence[Table] = TABLES, keyless: Collection[Table] = (STOCK_MOVEMENTS,)
    ) -> None:
        self.tables = {table.name: table for table in tables}
        self.rows: dict[str, dict[Row, Row]] = {name: {} for name in (*self.tables, _OFFSETS)}
        self._keyless = keyless
        self._numbers = itertools.count()

    def key_of(self, table: Table, row: Row) -> Row:
        """Return what the row is found by."""
        if table in self._keyless:
            return (next(self._numbers),)
        return tuple(getattr(row, column) for column in table.key)

    def owned(self, table: Table) -> dict[Any, list[Row]]:
        """Return an owned table's rows by the owner's key."""
        found: dict[Any, list[Row]] = {}
        for row in self.rows[table.name].values():
            found.setdefault(_owner(table, row), []).append(row)
        return found


class Connection:
    """A connection as the sink uses it. A flush is one step: nothing comes between its statements."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stages: dict[str, list[Row]] = {}
        self._undo: list[tuple[str, Row, Row | None]] = []
        tables = database.tables.values()
        self._merges = {statements.merge(table): table for table in tables if table.owner is None}
        self._drops = {statements.drop_owned(table): table for table in tables if table.owner is not None}
        self._inserts = {statements.insert_owned(table): table for table in tables if table.owner is not None}

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Make all inside one change, or none; the sink may be cut off before it or before the answer."""
        await effect("flush: sent")
        self._undo = []
        try:
            yield
        except BaseException:
            for name, key, row in reversed(self._undo):
                self._put(name, key, row)
            raise
        finally:
            self._stages.clear()
        await effect("flush: acknowledged")

    async def copy_records_to_table(
        self, name: str, *, records: Sequence[Row], columns: Sequence[str]
    ) -> None:
        """COPY into a table or into its staging table. Raises UniqueViolationError where a key is there."""
        assert all(len(record) == len(columns) for record in records)
        table = self._database.tables.get(name)
        if table is None:
            self._stages.setdefault(name, []).extend(records)
            return
        for row in records:
            self._insert(table, row)

    async def fetch(self, statement: str, *given: Any) -> list[tuple[Any, ...]]:
        """Meet or claim offsets, say which keys there are, or merge a staging table and say what won."""
        if statement == offsets._MEET:
            # Outside of the transaction, before whose first effect a process may die behind it.
            return self._meet(*given)
        if statement == offsets._CLAIM:
            return self._claim(*given)
        return self._asked(statement, *given)

    def _meet(
        self, sink: str, topics: Sequence[str], partitions: Sequence[int], ids: Sequence[str]
    ) -> list[tuple[Any, ...]]:
        """Make offsets where there are none, and say which were of a topic of the past."""
        anew = []
        for topic, partition, topic_id in zip(topics, partitions, ids, strict=True):
            held = self._database.rows[_OFFSETS].get((sink, topic, partition))
            if held is None or held[0] != topic_id:
                self._change(_OFFSETS, (sink, topic, partition), (topic_id, 0))
                anew.append((topic, partition, held is not None))
        return anew

    def _claim(
        self,
        sink: str,
        topics: Sequence[str],
        partitions: Sequence[int],
        ids: Sequence[str],
        ends: Sequence[int],
    ) -> list[tuple[Any, ...]]:
        """Move offsets on, and say where they stood."""
        before = []
        for topic, partition, topic_id, end in zip(topics, partitions, ids, ends, strict=True):
            held = self._database.rows[_OFFSETS].get((sink, topic, partition))
            if held is not None and held[0] == topic_id:
                onward = max(held[1], end) if _ONWARD in offsets._CLAIM else end
                self._change(_OFFSETS, (sink, topic, partition), (topic_id, onward))
                before.append((topic, partition, held[1]))
        return before

    def _asked(self, statement: str, keys: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if (found := _FIND.fullmatch(statement)) is not None:
            rows = self._database.rows[found[2]]
            return [(key,) for key in keys if (key,) in rows]
        table = self._merges[statement]
        stored = self._database.rows[table.name]
        guarded = f" WHERE excluded.{table.version} > {table.name}.{table.version}" in statement
        won: list[tuple[Any, ...]] = []
        for row in self._stages.get(statements.stage_of(table), ()):
            key = self._database.key_of(table, row)
            known = stored.get(key)
            if known is not None and (table.version is None or (guarded and not _newer(table, row, known))):
                continue
            self._change(table.name, key, row)
            won.append((*key, known is not None))
        return won

    async def execute(self, statement: str, keys: Sequence[Any]) -> None:
        """Drop the owners' rows, or insert their staged ones. Raises as a duplicate key would."""
        if (table := self._drops.get(statement)) is not None:
            for key, row in list(self._database.rows[table.name].items()):
                if _owner(table, row) in keys:
                    self._change(table.name, key, None)
            return
        table = self._inserts[statement]
        for row in self._stages.get(statements.stage_of(table), ()):
            if _owner(table, row) in keys:
                self._insert(table, row)

    def _insert(self, table: Table, row: Row) -> None:
        key = self._database.key_of(table, row)
        if key in self._database.rows[table.name]:
            raise asyncpg.UniqueViolationError(f"{table.name}: {key} is there already")
        self._change(table.name, key, row)

    def _change(self, name: str, key: Row, row: Row | None) -> None:
        self._undo.append((name, key, self._database.rows[name].get(key)))
        self._put(name, key, row)

    def _put(self, name: str, key: Row, row: Row | None) -> None:
        if row is None:
            self._database.rows[name].pop(key, None)
        else:
            self._database.rows[name][key] = row


class MemoryPostgresSink(PostgresSink):
    """The real sink over the database in memory."""

    def __init__(self, database: Database) -> None:
        super().__init__("", TABLES, offsets=offsets.Offsets(GROUP, _ids))
        self._months = []  # its tables are not partitioned
        self._memory = Connection(database)

    async def _connected(self) -> Any:
        return self._memory

    async def close(self) -> None:
        """Disconnect."""


async def _ids(topics: Collection[str]) -> Mapping[str, str]:
    """Return the topics' ids: none is ever created again."""
    return {topic: f"the first {topic}" for topic in topics}
