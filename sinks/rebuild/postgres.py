"""New tables in a schema of their own, and the old ones in another."""

import asyncio
from collections.abc import Sequence

import asyncpg

from connectors.postgres.sink import PostgresSink
from connectors.postgres.swap import drop, tables_in
from connectors.postgres.table import Row, Table
from connectors.runtime.sink import Sink
from sinks.migrate import SCHEMA, migrate
from sinks.rebuild.catching_up import CatchUp, ReadOn
from sinks.rebuild.swap import swap
from sinks.verify.postgres import PostgresSide, json_columns
from topics.settings import Settings

BESIDE, RETIRED = "rebuild", "retired"


class PostgresBeside:
    """Tables of the views, with what belongs to them."""

    def __init__(self, settings: Settings, tables: Sequence[Table]) -> None:
        self._settings = settings
        self._tables = tables

    async def prepare(self) -> None:
        """Migrate an empty schema."""
        await self.drop()
        await asyncio.to_thread(migrate, self._settings, BESIDE)

    def sink(self) -> Sink[Row]:
        """Return a sink that finds the schema's tables first."""
        return PostgresSink(self._settings.postgres_dsn, self._tables, search_path=f"{BESIDE}, {SCHEMA}")

    async def side(self) -> PostgresSide:
        """Return what reads the schema's tables."""
        dsn = self._settings.postgres_dsn
        return PostgresSide(dsn, BESIDE, self._tables, await json_columns(dsn, BESIDE))

    async def swap(self, catch_up: CatchUp) -> None:
        """Rename in one transaction.

        What the live sink wrote to the old tables its offsets count as written, and it never comes back to
        it: so it waits while the new ones are given the last of it, and they are complete when they serve.
        """
        # So that little is left to do while the sink waits.
        await catch_up()
        dsn = self._settings.postgres_dsn
        await swap(dsn, self._tables, catch_up, beside=BESIDE, live=SCHEMA, old=RETIRED)

    async def resume(self, read_on: ReadOn) -> bool:  # noqa: ARG002 - a swap leaves nothing out
        """Do nothing: tables that were swapped in are complete."""
        return False

    async def drop(self) -> None:
        """Drop the schema."""
        connection = await asyncpg.connect(self._settings.postgres_dsn)
        try:
            await connection.execute(f'DROP SCHEMA IF EXISTS "{BESIDE}" CASCADE')
        finally:
            await connection.close()

    async def old(self) -> list[str]:
        """Return the old tables."""
        return await tables_in(self._settings.postgres_dsn, self._tables, RETIRED)

    async def drop_old(self) -> None:
        """Drop the old tables, and their schema after its last one."""
        await drop(self._settings.postgres_dsn, self._tables, RETIRED)
