"""PostgreSQL in memory, for the statements that the real sink makes; any other is an error.

A statement is recognised by its text, and whether a row may replace another is read from that text, too: a
merge without its version guard behaves here as it would there.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from connectors.postgres import statements
from connectors.postgres.sink import PostgresSink
from connectors.postgres.table import Row, Table
from sinks.rows import TABLES
from tests.simulation.effects import effect

_FIND = re.compile(r"SELECT (\w+) FROM (\w+) WHERE \1 = ANY\(\$1\)")


def _key(table: Table, row: Row) -> Row:
    return tuple(getattr(row, column) for column in table.key)


def _owner(table: Table, row: Row) -> Any:
    assert table.owner is not None
    return getattr(row, table.owner.key[0])


def _newer(table: Table, row: Row, than: Row) -> bool:
    assert table.version is not None
    return bool(getattr(row, table.version) > getattr(than, table.version))


class Database:
    """The tables' rows, by key."""

    def __init__(self, tables: Sequence[Table] = TABLES) -> None:
        self.tables = {table.name: table for table in tables}
        self.rows: dict[str, dict[Row, Row]] = {table.name: {} for table in tables}

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

    async def fetch(self, statement: str, keys: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Say which keys there are; or merge a staging table, and say which rows won and which replaced."""
        if (found := _FIND.fullmatch(statement)) is not None:
            rows = self._database.rows[found[2]]
            return [(key,) for key in keys if (key,) in rows]
        table = self._merges[statement]
        stored = self._database.rows[table.name]
        guarded = f" WHERE excluded.{table.version} > {table.name}.{table.version}" in statement
        won: list[tuple[Any, ...]] = []
        for row in self._stages.get(statements.stage_of(table), ()):
            key = _key(table, row)
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
        key = _key(table, row)
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
        super().__init__("", TABLES)
        self._months = []  # its tables are not partitioned
        self._memory = Connection(database)

    async def _connected(self) -> Any:
        return self._memory

    async def close(self) -> None:
        """Disconnect."""
