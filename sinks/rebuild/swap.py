"""Putting new tables in the live ones' place: complete, in one transaction, or not at all."""

from collections.abc import Sequence

import asyncpg
import stamina

from connectors.postgres.swap import move
from connectors.postgres.table import Table
from sinks.rebuild.catching_up import CatchUp

_LOCK_S = 5
_PATIENCE_S = 300.0
_LONGEST_S = 60

_THERE = "SELECT tablename FROM pg_tables WHERE schemaname = $1"


@stamina.retry(
    on=(asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError), attempts=None, timeout=_PATIENCE_S
)
async def swap(
    dsn: str, tables: Sequence[Table], catch_up: CatchUp, *, beside: str, live: str, old: str
) -> None:
    """Move `tables` from schema `beside` to `live`, and what they replace to `old`; `beside` is dropped.

    Writers wait from the moment at which `catch_up` begins to read into the new tables what the live ones
    have got last. So whatever was written before is in both, whatever is written after goes to the new ones,
    and where this process dies, or its connection, the live ones are what they were. Readers wait for
    the renaming alone. It waits for locks five seconds at a time, so that others do not queue behind it, and
    a catching up that takes longer than a minute gives way. Raises asyncpg.LockNotAvailableError where
    it gets no locks for five minutes, asyncpg.DuplicateTableError where `old` still has a table of the name,
    asyncpg's errors where it was cut off, as after that minute, and what `catch_up` raises.
    """
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_S}s'")
            await connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{_LONGEST_S}s'")
            await _hold(connection, tables, live)
            await catch_up()
            await move(connection, tables, beside=beside, live=live, old=old)
    finally:
        await connection.close()


async def _hold(connection: asyncpg.Connection, tables: Sequence[Table], schema: str) -> None:
    """Let nobody write the tables, as far as they are there: in the order in which the sink does.

    The sink begins with its offsets. Who waits for those has not looked at a table yet; if it had, it would
    wait here for the new table, and the renaming for it.
    """
    there = {name for (name,) in await connection.fetch(_THERE, schema)}
    await connection.execute(f'LOCK TABLE "{schema}".sink_offsets IN SHARE ROW EXCLUSIVE MODE')
    for table in sorted(tables, key=lambda each: each.owner is not None):
        if table.name in there:
            await connection.execute(f'LOCK TABLE "{schema}".{table.name} IN SHARE ROW EXCLUSIVE MODE')
