"""Writes batches to PostgreSQL: one transaction per flush, by COPY into staging tables and a merge."""

from collections.abc import Sequence

import asyncpg
import structlog

from connectors.postgres import statements
from connectors.postgres.compaction import compact
from connectors.postgres.errors import UNFIT, blames_data
from connectors.postgres.table import Row, Table
from connectors.runtime.sink import BatchRefusedError, Entry, Refusal, SinkUnavailableError

log = structlog.get_logger(__name__)

CONNECT_S = 5.0
COMMAND_S = 60.0

_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


class PostgresSink:
    """A sink over `tables`, found by their unqualified names on `search_path`."""

    def __init__(self, dsn: str, tables: Sequence[Table], search_path: str = "public") -> None:
        self._dsn = dsn
        # Owners come before what they own.
        self._tables = sorted(tables, key=lambda table: table.owner is not None)
        self._by_row: dict[type, Table] = {table.row: table for table in tables}
        self._search_path = search_path
        self._connection: asyncpg.Connection | None = None

    async def write(self, batch: Sequence[Entry[Row]]) -> Sequence[Refusal]:
        """Write the batch in one transaction; it refuses batches as a whole, never single entries.

        Raises BatchRefusedError where the server blames the data, and SinkUnavailableError for all else.
        """
        rows = compact([entry.rows for entry in batch], self._by_row)
        if not rows:
            return ()
        connection = await self._connected()
        try:
            async with connection.transaction():
                await self._flush(connection, rows)
        except (*_FAILURES, *UNFIT) as error:
            if blames_data(error):
                raise BatchRefusedError(str(error)) from error
            await self.close()
            raise SinkUnavailableError(f"{type(error).__name__}: {error}") from error
        return ()

    async def close(self) -> None:
        """Disconnect, within a second."""
        connection, self._connection = self._connection, None
        if connection is None or connection.is_closed():
            return
        try:
            await connection.close(timeout=1)
        except (*_FAILURES, TimeoutError) as error:
            connection.terminate()
            log.debug("postgres.close_failed", error=str(error))

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        try:
            self._connection = await asyncpg.connect(
                self._dsn,
                timeout=CONNECT_S,
                command_timeout=COMMAND_S,
                server_settings={"search_path": self._search_path, "application_name": "ecommerce-sink"},
            )
            for table in self._tables:
                await self._connection.execute(statements.create_stage(table))
        except _FAILURES as error:
            await self.close()
            raise SinkUnavailableError(f"{type(error).__name__}: {error}") from error
        return self._connection

    async def _flush(self, connection: asyncpg.Connection, rows: dict[Table, list[Row]]) -> None:
        won: dict[Table, list[object]] = {}
        replaced: dict[Table, list[object]] = {}
        for table in self._tables:
            if staged := rows.get(table):
                await connection.copy_records_to_table(
                    statements.stage_of(table), records=staged, columns=table.columns
                )
            if table.owner is not None:
                # An owner that was not there before owned nothing.
                if before := replaced.get(table.owner):
                    await connection.execute(statements.drop_owned(table), before)
                if staged and (owners := won.get(table.owner)):
                    await connection.execute(statements.insert_owned(table), owners)
            elif staged:
                merged = await connection.fetch(statements.merge(table))
                won[table] = [row[0] for row in merged]
                replaced[table] = [row[0] for row in merged if row[-1]]
