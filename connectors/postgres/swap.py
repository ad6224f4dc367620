"""Putting the tables of one schema in the place of another's, without a moment in which there are none."""

from collections.abc import Sequence

import asyncpg
import stamina

from connectors.postgres.table import Table

_RETIRED = "retired"
_PARTITIONS = """
SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = $1::text::regclass
"""
_LOCK_S = 5
_PATIENCE_S = 300.0


@stamina.retry(
    on=(asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError), attempts=None, timeout=_PATIENCE_S
)
async def swap(dsn: str, tables: Sequence[Table], beside: str, live: str) -> None:
    """Move `tables` from schema `beside` to `live` in one transaction; drop `beside` and what they replace.

    Readers and writers wait for the moment that it takes, then find the new tables under the old names. It
    waits for locks five seconds at a time, so that others do not queue behind it, and raises
    asyncpg.LockNotAvailableError where it gets none for five minutes.
    """
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_S}s'")
            await connection.execute(f'CREATE SCHEMA "{_RETIRED}"')
            for table in tables:
                for source, target in ((live, _RETIRED), (beside, live)):
                    for name in await _names(connection, source, table):
                        await connection.execute(f'ALTER TABLE "{source}"."{name}" SET SCHEMA "{target}"')
            await connection.execute(f'DROP SCHEMA "{_RETIRED}", "{beside}" CASCADE')
    finally:
        await connection.close()


async def _names(connection: asyncpg.Connection, schema: str, table: Table) -> list[str]:
    """Return the table's name and its partitions': they do not move with it by themselves."""
    partitions = await connection.fetch(_PARTITIONS, f'"{schema}".{table.name}')
    return [table.name, *(row[0] for row in partitions)]
