"""One rebuild at a time: tables in the making lie in one schema."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from sinks.verify.sides import Unreadable

_LOCK = 0x65636F6D2E726275
_TIMEOUT_S = 10.0


class BusyError(Exception):
    """Another rebuild is under way."""


@asynccontextmanager
async def alone(dsn: str) -> AsyncIterator[None]:
    """Keep other rebuilds of this database's views out until the end.

    Raises BusyError where one is under way, Unreadable where the database does not answer.
    """
    try:
        connection = await asyncpg.connect(dsn, timeout=_TIMEOUT_S)
    except (asyncpg.PostgresError, OSError, TimeoutError) as error:
        raise Unreadable(f"PostgreSQL: {error}") from error
    try:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            raise BusyError("another rebuild of these views is under way")
        yield
    finally:
        await connection.close(timeout=_TIMEOUT_S)
