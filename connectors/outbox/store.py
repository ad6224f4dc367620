"""The outbox's side of PostgreSQL: taking rows, and waiting for new ones."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

import asyncpg

from connectors.outbox.row import OutboxRow

CONNECT_S = 5.0
COMMAND_S = 30.0
IDLE_S = 120
_CHANNEL = "outbox"
# Held while a batch is on its way: two instances at once would mix an account's rows.
_LOCK = 0x6F7574626F78

# Whole rows, never "all above the last position": a transaction that began earlier may commit later, and its
# rows would be passed by for ever.
_TAKE = f"""
DELETE FROM identity.outbox WHERE position IN (
    SELECT position FROM identity.outbox ORDER BY position LIMIT $1)
RETURNING {", ".join(OutboxRow._fields)}
"""  # noqa: S608 - names from our own type


class OutboxStore:
    """A connection to the outbox.

    All methods raise one of `connectors.postgres.errors.FAILURES` where the server is away.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._written = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def connected(cls, dsn: str) -> AsyncIterator[Self]:
        """Connect and listen for new rows; disconnect in the end."""
        connection = await asyncpg.connect(
            dsn,
            timeout=CONNECT_S,
            command_timeout=COMMAND_S,
            server_settings={
                "application_name": "ecommerce-outbox",
                # A machine that is gone without a word gives its rows and its lock back.
                "idle_in_transaction_session_timeout": f"{IDLE_S}s",
            },
        )
        store = cls(connection)
        try:
            await connection.add_listener(_CHANNEL, store._wake)
            connection.add_termination_listener(store._wake)
            yield store
        finally:
            # Nothing is lost by an abrupt end: an open transaction's rows are back in the outbox.
            connection.terminate()

    @asynccontextmanager
    async def batch(self, limit: int) -> AsyncIterator[Sequence[OutboxRow] | None]:
        """Give the oldest rows, in order, and delete them where the block ends without an error.

        Gives None where another instance is at work.
        """
        async with self._connection.transaction():
            self._written.clear()
            if not await self._connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
                yield None
                return
            yield sorted(OutboxRow(*row) for row in await self._connection.fetch(_TAKE, limit))

    async def written(self, seconds: float) -> None:
        """Return when rows were written since the last batch was taken, at the latest after `seconds`."""
        try:
            await asyncio.wait_for(self._written.wait(), seconds)
        except TimeoutError:
            return

    def _wake(self, *_: object) -> None:
        self._written.set()
