"""The PostgreSQL views as a comparison reads them, and what the topics' rows would be there."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from connectors.postgres.errors import FAILURES
from connectors.postgres.table import Row, Table
from connectors.postgres.tombstone import Tombstone
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry, Refusal
from sinks.verify.held import Held, Told, digest, first_of, key_text, parsed, together
from sinks.verify.sides import Unreadable
from sinks.verify.spool import Spool

_PREFETCH = 1_000
_TIMEOUT_S = 10.0
_JSON = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = $1 AND data_type IN ('json', 'jsonb')
"""
_ABSENT = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.InvalidSchemaNameError)

JsonColumns = Mapping[str, frozenset[str]]


async def json_columns(dsn: str, schema: str) -> JsonColumns:
    """Return by table which columns hold JSON: a server writes it in its own way. Raises Unreadable."""
    async with _connected(dsn) as connection:
        found = await connection.fetch(_JSON, schema)
    tables = {name for name, _ in found}
    return {table: frozenset(column for name, column in found if name == table) for table in tables}


class PostgresSide:
    """Tables of one schema. What a table owns is one thing per owner."""

    def __init__(self, dsn: str, schema: str, tables: Sequence[Table], json: JsonColumns) -> None:
        self._dsn = dsn
        self._schema = schema
        self._tables = {table.name: table for table in tables}
        self._json = json

    async def rows(self, part: str) -> AsyncIterator[Held]:
        """Yield every key of a table, as of one moment; nothing where it is not there."""
        table = self._tables[part]
        # What one owner has follows each other.
        query = self._select(table) + (f" ORDER BY {', '.join(_key(table))}" if table.owner else "")
        try:
            async with _connected(self._dsn) as connection, _snapshot(connection):
                bunch: list[Row] = []
                async for row in connection.cursor(query, prefetch=_PREFETCH):
                    if bunch and (table.owner is None or _owner(table, bunch[0]) != _owner(table, row)):
                        yield self._held(table, bunch)
                        bunch = []
                    bunch.append(tuple(row))
                if bunch:
                    yield self._held(table, bunch)
        except _ABSENT:
            return

    async def some(self, part: str, keys: Collection[str]) -> Mapping[str, Held]:
        """Return those of the keys that are there."""
        table = self._tables[part]
        # By the first column, as it reads here and there alike; times, behind it, do not.
        query = f"{self._select(table)} WHERE {_key(table)[0]}::text = ANY($1)"
        try:
            async with _connected(self._dsn) as connection:
                fetched = await connection.fetch(query, [first_of(key) for key in keys])
        except _ABSENT:
            return {}
        bunches: dict[str, list[Row]] = {key: [] for key in keys}
        for row in map(tuple, fetched):
            bunches.get(_text(table, row), []).append(row)
        return {key: self._held(table, rows) for key, rows in bunches.items() if rows}

    def _select(self, table: Table) -> str:
        return f'SELECT {", ".join(table.columns)} FROM "{self._schema}".{table.name}'  # noqa: S608 # declared

    def _held(self, table: Table, rows: Sequence[Row]) -> Held:
        digests = [row_digest(table, row, self._json) for row in rows]
        return Held(_text(table, rows[0]), _one(table, digests), len(rows))


class PostgresExpected:
    """A sink into a spool: what the tables have to hold once all that it is given is written."""

    def __init__(self, tables: Sequence[Table], json: JsonColumns, spool: Spool) -> None:
        self._by_row = {table.row: table for table in tables}
        self._owned: dict[Table, list[Table]] = {}
        for table in tables:
            if table.owner is not None:
                self._owned.setdefault(table.owner, []).append(table)
        self._json = json
        self._spool = spool

    async def write(self, batch: Sequence[Entry[Row]]) -> Sequence[Refusal]:
        """Keep the highest version of each row and what belongs to it; refuses nothing."""
        said: dict[tuple[str, str], Told | None] = {}
        for entry in batch:
            record, rows = entry.record, entry.rows
            owned: dict[tuple[Table, str], list[bytes]] = {}
            owners: list[tuple[Table, Row]] = []
            for row in rows:
                if type(row) is Tombstone:
                    self._bury(said, row)
                    continue
                table = self._by_row[type(row)]
                if table.owner is None:
                    owners.append((table, row))
                else:
                    told = row_digest(table, row, self._json)
                    owned.setdefault((table, _text(table, row)), []).append(told)
            for table, row in owners:
                if self._wins(said, table, row):
                    self._tell(said, table, row, record, owned)
        self._spool.write(said)
        return ()

    async def close(self) -> None:
        """Do nothing: the spool is its maker's."""

    def _bury(self, said: dict[tuple[str, str], Told | None], tombstone: Tombstone) -> None:
        for table in (tombstone.table, *self._owned.get(tombstone.table, ())):
            said[table.name, _key_text(table, tombstone.key)] = None

    def _wins(self, said: Mapping[tuple[str, str], Told | None], table: Table, row: Row) -> bool:
        place = (table.name, _text(table, row))
        known = said[place] if place in said else self._spool.get(*place)
        if known is None:
            return True
        return table.version is not None and table.version_of(row) > known.version

    def _tell(
        self,
        said: dict[tuple[str, str], Told | None],
        table: Table,
        row: Row,
        record: Record,
        owned: Mapping[tuple[Table, str], list[bytes]],
    ) -> None:
        key = _text(table, row)
        version = table.version_of(row) if table.version else 0
        sources = ((record.topic, record.partition, record.offset),)
        said[table.name, key] = Told(
            row_digest(table, row, self._json), 1, version, sources, record.timestamp
        )
        for belonging in self._owned.get(table, ()):
            digests = owned.get((belonging, key))
            said[belonging.name, key] = (
                Told(_one(belonging, digests), len(digests), version, sources, record.timestamp)
                if digests
                else None
            )


def row_digest(table: Table, row: Row, json: JsonColumns) -> bytes:
    """Return the digest of a row, JSON by what it says."""
    holds_json = json.get(table.name, frozenset())
    return digest(
        [
            parsed(value) if column in holds_json else value
            for column, value in zip(table.columns, row, strict=True)
        ]
    )


def _one(table: Table, digests: Sequence[bytes]) -> bytes:
    return together(digests) if table.owner else digests[0]


def _key(table: Table) -> tuple[str, ...]:
    return table.owner.key if table.owner else table.key


def _owner(table: Table, row: Sequence[Any]) -> Any:
    return table.owner_key_of(tuple(row))


def _text(table: Table, row: Row) -> str:
    if table.owner is not None:
        return str(table.owner_key_of(row))
    return _key_text(table, table.key_of(row))


def _key_text(table: Table, key: Any) -> str:
    return key_text(key) if table.owner is None and len(table.key) > 1 else str(key)


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    try:
        connection = await asyncpg.connect(dsn, timeout=_TIMEOUT_S)
        try:
            yield connection
        finally:
            await connection.close(timeout=_TIMEOUT_S)
    except _ABSENT:
        raise
    except FAILURES as error:
        raise Unreadable(f"PostgreSQL: {error}") from error


@asynccontextmanager
async def _snapshot(connection: asyncpg.Connection) -> AsyncIterator[None]:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield
