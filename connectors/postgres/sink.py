"""Writes batches to PostgreSQL: one transaction per flush; what is new by COPY, what is known by a merge."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

import asyncpg
import structlog
from confluent_kafka import KafkaException

from connectors.postgres import metrics, statements
from connectors.postgres.compaction import Compacted, compact
from connectors.postgres.errors import FAILURES, UNFIT, blames_data, code_of
from connectors.postgres.flush import Flush, Rows
from connectors.postgres.months import Months
from connectors.postgres.offsets import Offsets, OffsetsForeignError, Place, place_of, stretches_of
from connectors.postgres.settings import PostgresSinkSettings
from connectors.postgres.table import Row, Table
from connectors.runtime.sink import BatchRefusedError, Entry, Refusal, SinkUnavailableError

log = structlog.get_logger(__name__)

_CAREFUL_BATCHES = 20
"""After a row was met that is there already, so many batches go through the staging tables."""


class PostgresSink:
    """A sink over `tables`, found by their unqualified names on `search_path`.

    With `offsets` it keeps beside the rows how far it is, and leaves out what it has written before.
    """

    def __init__(
        self,
        dsn: str,
        tables: Sequence[Table],
        search_path: str = "public",
        offsets: Offsets | None = None,
        patience: PostgresSinkSettings | None = None,
    ) -> None:
        self._dsn = dsn
        # Owners come before what they own.
        self._tables = sorted(tables, key=lambda table: table.owner is not None)
        self._by_row: dict[type, Table] = {table.row: table for table in tables}
        self._search_path = search_path
        self._offsets = offsets
        self._patience = patience or PostgresSinkSettings()
        self._months = [Months(table) for table in tables if table.month is not None]
        self._columns = frozenset(column for table in tables for column in table.columns)
        self._connection: asyncpg.Connection | None = None
        self._careful = 0

    async def write(self, batch: Sequence[Entry[Row]]) -> Sequence[Refusal]:
        """Write the batch in one transaction; it refuses batches as a whole, never single entries.

        Raises BatchRefusedError where the server blames the data, and SinkUnavailableError for all else.
        """
        compacted = compact([entry.rows for entry in batch], self._by_row)
        if compacted.empty:
            return ()
        try:
            await self._flush(batch, compacted)
        except (*FAILURES, *UNFIT, KafkaException, OffsetsForeignError) as error:
            # A COPY that failed leaves the connection's client end in doubt: the next write has its own.
            await self.close()
            if blames_data(error, self._columns):
                raise BatchRefusedError(str(error), code_of(error)) from error
            raise SinkUnavailableError(f"{type(error).__name__}: {error}") from error
        return ()

    async def starts(self, places: Collection[Place]) -> Mapping[Place, int]:
        """Return from where to read what the rows lack; raises SinkUnavailableError."""
        if self._offsets is None:
            return {}
        async with self._asking():
            return await self._offsets.starts(await self._connected(), places)

    async def passed(self, offsets: Mapping[Place, int]) -> None:
        """Move the rows' offsets on, where records had no rows; raises SinkUnavailableError."""
        if self._offsets is not None:
            async with self._asking():
                await self._offsets.passed(await self._connected(), offsets)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        try:
            yield
        except (*FAILURES, KafkaException) as error:
            await self.close()
            raise SinkUnavailableError(f"{type(error).__name__}: {error}") from error

    async def _flush(self, batch: Sequence[Entry[Row]], compacted: Compacted) -> None:
        if self._careful == 0:
            try:
                async with self._flushing(batch, compacted) as (flush, unwritten):
                    await flush.straight(unwritten)
            except asyncpg.UniqueViolationError:
                # Something of it is there already, as after a crash, and more of it may follow.
                await self.close()
                self._careful = _CAREFUL_BATCHES
            else:
                return
        self._careful -= 1
        async with self._flushing(batch, compacted) as (flush, unwritten):
            await flush.staged(unwritten)

    @asynccontextmanager
    async def _flushing(
        self, batch: Sequence[Entry[Row]], compacted: Compacted
    ) -> AsyncIterator[tuple[Flush, Rows]]:
        """Begin a transaction, and give the rows of the batch that have not been written before."""
        connection = await self._connected()
        stretches = stretches_of(entry.record for entry in batch) if self._offsets else {}
        if self._offsets is not None:
            await self._offsets.meet(connection, stretches)
        for months in self._months:
            await months.ensure(connection, compacted.rows.get(months.table, ()))
        async with connection.transaction():
            left = batch
            if self._offsets is not None and (known := await self._offsets.claim(connection, stretches)):
                left = [each for each in batch if each.record.offset >= known.get(place_of(each.record), 0)]
                compacted = compact([entry.rows for entry in left], self._by_row)
            flush = Flush(connection, self._tables)
            if compacted.deleted:
                await flush.deleted(compacted.deleted)
            yield flush, compacted.rows
        if self._offsets is not None:
            self._offsets.written(stretches)
        metrics.REPEATED.inc(len(batch) - len(left))

    async def close(self) -> None:
        """Disconnect, within a second."""
        connection, self._connection = self._connection, None
        for months in self._months:
            months.forget()
        if connection is None or connection.is_closed():
            return
        try:
            await connection.close(timeout=1)
        except FAILURES as error:
            connection.terminate()
            log.debug("postgres.close_failed", error=str(error))

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        limit = f"{self._patience.statement_seconds * 1000:.0f}ms"
        try:
            self._connection = await asyncpg.connect(
                self._dsn,
                timeout=self._patience.connect_seconds,
                command_timeout=self._patience.statement_seconds,
                server_settings={
                    "search_path": self._search_path,
                    "application_name": "ecommerce-sink",
                    # Beside the client's own limit: a sink that was stopped in mid-flight holds no locks.
                    "statement_timeout": limit,
                    "idle_in_transaction_session_timeout": limit,
                },
            )
            for table in self._tables:
                await self._connection.execute(statements.create_stage(table))
        except FAILURES as error:
            await self.close()
            raise SinkUnavailableError(f"{type(error).__name__}: {error}") from error
        return self._connection
