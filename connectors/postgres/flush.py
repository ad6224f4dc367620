"""A batch's way into its tables, in a transaction: straight where rows are new, else by staging and merge."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from connectors.postgres import statements
from connectors.postgres.table import Row, Table

Rows = Mapping[Table, Sequence[Row]]


class Flush:
    """Writes compacted rows to `tables`, owners before what they own."""

    def __init__(self, connection: asyncpg.Connection, tables: Sequence[Table]) -> None:
        self._connection = connection
        self._tables = tables

    async def deleted(self, keys: Mapping[Table, Mapping[Any, int]]) -> None:
        """Delete the rows at the keys, and what they own, where they come from before the key's offset."""
        for table, offsets in keys.items():
            owned = [each for each in self._tables if each.owner is table]
            values = [(*(key if len(table.key) > 1 else (key,)), offset) for key, offset in offsets.items()]
            await self._connection.executemany(statements.delete(table, owned), values)

    async def straight(self, rows: Rows) -> None:
        """Write what is new by COPY into its table, and the rest by `staged`.

        Of versioned rows the server is asked which it has; rows that are only ever added are taken for new.
        Raises asyncpg.UniqueViolationError where one was there, or came meanwhile: nothing is written then.
        """
        known: dict[Table, Sequence[Row]] = {}
        strangers: dict[Table, set[Any]] = {}
        for table in self._tables:
            batch = rows.get(table)
            if not batch:
                continue
            if table.version is not None and len(table.key) == 1:
                new, old = await self._sorted(table, batch)
                strangers[table] = {table.key_of(row) for row in new}
            elif table.owner is not None:
                owners = strangers.get(table.owner, set())
                new = [row for row in batch if table.owner_key_of(row) in owners]
                old = (
                    []
                    if len(new) == len(batch)
                    else [r for r in batch if table.owner_key_of(r) not in owners]
                )
            else:
                new, old = ([], list(batch)) if table.version else (batch, [])
            if new:
                await self._connection.copy_records_to_table(table.name, records=new, columns=table.columns)
            if old:
                known[table] = old
        if known:
            await self.staged(known)

    async def staged(self, rows: Rows) -> None:
        """Write by COPY into the staging tables and a merge: whatever is there, the higher version stays."""
        won: dict[Table, list[object]] = {}
        replaced: dict[Table, list[object]] = {}
        for table in self._tables:
            if batch := rows.get(table):
                await self._connection.copy_records_to_table(
                    statements.stage_of(table), records=batch, columns=table.columns
                )
            if table.owner is not None:
                # An owner that was not there before owned nothing.
                if before := replaced.get(table.owner):
                    await self._connection.execute(statements.drop_owned(table), before)
                if batch and (owners := won.get(table.owner)):
                    await self._connection.execute(statements.insert_owned(table), owners)
            elif batch:
                merged = await self._connection.fetch(statements.merge(table))
                won[table] = [row[0] for row in merged]
                replaced[table] = [row[0] for row in merged if row[-1]]

    async def _sorted(self, table: Table, batch: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
        """Return the rows whose keys the table has not, and those whose keys it has."""
        keys = [table.key_of(row) for row in batch]
        there = {row[0] for row in await self._connection.fetch(statements.find(table), keys)}
        if not there:
            return batch, ()
        return (
            [row for row, key in zip(batch, keys, strict=True) if key not in there],
            [row for row, key in zip(batch, keys, strict=True) if key in there],
        )
