"""The connection pool to the views' database, and what every query on it has in common."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg

from api.problems import unavailable
from topics.settings import Settings

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Row: TypeAlias = asyncpg.Record

_STATEMENT_SECONDS = 10.0


@asynccontextmanager
async def open_pool(settings: Settings) -> AsyncIterator[Pool]:
    """Connect to the views; raises OSError or asyncpg.PostgresError where the database does not answer."""
    async with asyncpg.create_pool(
        settings.postgres_dsn,
        min_size=1,
        max_size=8,
        command_timeout=_STATEMENT_SECONDS,
        server_settings={"application_name": "ecommerce-api"},
    ) as pool:
        yield pool


class Views:
    """Runs queries on the views; a database that does not answer becomes a 503 Problem."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def rows(self, query: str, *values: object) -> list[Row]:
        """Return the query's rows."""
        try:
            found: list[Row] = await self._pool.fetch(query, *values)
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as error:
            raise unavailable("the database of views") from error
        except asyncpg.OperatorInterventionError as error:
            raise unavailable("the database of views") from error
        return found

    async def row(self, query: str, *values: object) -> Row | None:
        """Return the query's first row."""
        found = await self.rows(query, *values)
        return found[0] if found else None
