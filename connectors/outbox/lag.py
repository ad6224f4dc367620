"""What is not published yet, looked at beside the publishing: it is wanted most when that stands still."""

import asyncio
from dataclasses import dataclass

import asyncpg
import structlog

from connectors.outbox import metrics
from connectors.outbox.row import SOURCE
from connectors.outbox.store import CONNECT_S
from connectors.postgres.errors import FAILURES

log = structlog.get_logger(__name__)

EVERY_S = 1.0
_WAITING = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(occurred_at)), 0)::float8
FROM identity.outbox
"""


@dataclass(frozen=True)
class Waiting:
    """How many rows are not published yet, and the age of the oldest in seconds."""

    rows: int = 0
    seconds: float = 0.0


class Lag:
    """The outbox's lag, fresh to the second while its server answers."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.waiting = Waiting()

    async def watch(self) -> None:
        """Look every second, until cancelled."""
        while True:
            try:
                await self._look()
            except FAILURES as error:
                log.debug("outbox.lag_unknown", error=str(error))
                await asyncio.sleep(EVERY_S)

    async def _look(self) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=CONNECT_S, command_timeout=CONNECT_S)
        try:
            while True:
                self.waiting = Waiting(*await connection.fetchrow(_WAITING))
                metrics.LAG.labels(SOURCE).set(self.waiting.rows)
                metrics.LAG_SECONDS.labels(SOURCE).set(self.waiting.seconds)
                await asyncio.sleep(EVERY_S)
        finally:
            connection.terminate()
