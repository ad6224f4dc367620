"""Putting the tables of one schema in the place of another's, without a moment in which there are none."""

from collections.abc import Sequence

import asyncpg
import stamina

from connectors.postgres.table import Table

_RETIRED = "retired"
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
                await connection.execute(f'ALTER TABLE "{live}".{table.name} SET SCHEMA "{_RETIRED}"')
                await connection.execute(f'ALTER TABLE "{beside}".{table.name} SET SCHEMA "{live}"')
            await connection.execute(f'DROP SCHEMA "{_RETIRED}", "{beside}" CASCADE')
    finally:
        await connection.close()
