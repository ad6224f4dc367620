"""The connection pool to the views' database, and what every query on it has in common."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg
import structlog

from api.problems import Problem, unavailable
from api.settings import ViewsSettings
from topics.settings import Settings

_log = structlog.get_logger()

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Row: TypeAlias = asyncpg.Record

# What says that the database cannot serve now, and nothing about the query.
AWAY = (
    OSError,
    asyncpg.InterfaceError,
    # A connection that breaks in the midst of an answer: asyncpg then takes it for busy.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)


async def _nothing_to_reset(_connection: object) -> None:
    """Leave a connection as it is: no statement here sets, locks or listens to anything for a session.

    To make sure of that anew would be a second round trip after each query.
    """


@asynccontextmanager
async def open_pool(settings: Settings, limits: ViewsSettings | None = None) -> AsyncIterator[Pool]:
    """Connect to the views; raises OSError or asyncpg.PostgresError where the database does not answer."""
    limits = limits or ViewsSettings()
    async with asyncpg.create_pool(
        settings.postgres_dsn,
        min_size=1,
        max_size=limits.connections,
        timeout=limits.statement_seconds,
        command_timeout=limits.statement_seconds,
        reset=_nothing_to_reset,
        server_settings={
            "application_name": "ecommerce-api",
            # Beside the client's own limit: a query that nobody waits for any more ends, too.
            "statement_timeout": f"{limits.statement_seconds * 1000:.0f}",
            "idle_in_transaction_session_timeout": f"{limits.statement_seconds * 1000:.0f}",
        },
    ) as pool:
        yield pool


class Views:
    """Runs queries on the views; a database that does not answer becomes a 503 Problem."""

    def __init__(self, pool: Pool, limits: ViewsSettings | None = None) -> None:
        self._pool = pool
        self._wait_s = (limits or ViewsSettings()).wait_seconds

    async def rows(self, query: str, *values: object) -> list[Row]:
        """Return the query's rows."""
        try:
            async with self._pool.acquire(timeout=self._wait_s) as connection:
                found: list[Row] = await connection.fetch(query, *values)
        except AWAY as error:
            raise unavailable("the database of views") from error
        except (asyncpg.DataError, UnicodeEncodeError) as error:
            # Every route checks its own; this holds for the one that forgets: no input is an error of ours.
            _log.warning("value_not_for_views", error=repr(error))
            raise Problem(422, "a value is none that can be looked for", kind="validation") from error
        return found

    async def row(self, query: str, *values: object) -> Row | None:
        """Return the query's first row."""
        found = await self.rows(query, *values)
        return found[0] if found else None
