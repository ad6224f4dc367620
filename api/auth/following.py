"""Following which sessions end, whoever ends them: read from the database twice a second by each process."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Self, TypeAlias

import asyncpg
import structlog

from api.auth.ended import End, EndedSessions
from api.problems import Problem

_Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

PAUSE_SECONDS = 0.4
_ANSWER_SECONDS = 3.0
# Everything is read again so often, and what no token can be of any more is then forgotten.
_ALL_AGAIN_SECONDS = 600.0
# What changes an account commits within this time, or its end may come too late for a process that starts.
_COMMIT_SECONDS = 3600

_SNAPSHOT = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"
_ENDS = "SELECT user_id::text, session_id::text, below_version FROM identity.session_ends"
_ALL = f"{_ENDS} WHERE ended_at > now() - make_interval(secs => $1)"
_NEWER = f"{_ENDS} WHERE transaction >= $1::text::xid8"
_OLD = (
    "DELETE FROM identity.session_ends WHERE ended_at < now() - interval '2 days'",
    "DELETE FROM identity.sessions WHERE expires_at < now() - interval '2 days'",
)

_FAILURES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

_log = structlog.get_logger()


@dataclass(frozen=True)
class _Place:
    """How far a process has read: every end of a transaction before `xmin` is known to it."""

    xmin: int

    @classmethod
    async def now(cls, connection: _Connection) -> Self:
        return cls(int(await connection.fetchval(_SNAPSHOT)))


class Following:
    """Keeps `ended` up to date on a connection of its own, so that no burst of queries delays it.

    `token_seconds` is how long a token lives: ends older than that are of no use.
    """

    def __init__(self, dsn: str, ended: EndedSessions, token_seconds: int) -> None:
        self._dsn = dsn
        self._ended = ended
        self._seconds = token_seconds + _COMMIT_SECONDS

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read everything once, then go on beside the caller.

        Raises OSError or asyncpg.PostgresError where the database does not answer the first time.
        """
        connection = await self._connect()
        try:
            place = await self._all(connection)
        except BaseException:
            connection.terminate()
            raise
        task = asyncio.create_task(self._follow(connection, place))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _follow(self, connection: _Connection, place: _Place) -> None:
        """Read on, for ever: after a failure on a new connection, and from the beginning."""
        while True:
            try:
                await self._read_on(connection, place)
            except _FAILURES as error:
                _log.warning("session_ends_not_heard", error=repr(error))
            finally:
                connection.terminate()
            connection, place = await self._again()

    async def _again(self) -> tuple[_Connection, _Place]:
        while True:
            with suppress(Problem):
                self._ended.check_hearing()
            await asyncio.sleep(PAUSE_SECONDS)
            connection = None
            try:
                connection = await self._connect()
                return connection, await self._all(connection)
            except _FAILURES as error:
                _log.warning("session_ends_not_heard", error=repr(error))
                if connection is not None:
                    connection.terminate()

    async def _read_on(self, connection: _Connection, place: _Place) -> None:
        forget_at = time.monotonic() + _ALL_AGAIN_SECONDS
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            if time.monotonic() >= forget_at:
                await self._forget(connection)
                place = await self._all(connection)
                forget_at = time.monotonic() + _ALL_AGAIN_SECONDS
            else:
                place = await self._newer(connection, place)

    async def _all(self, connection: _Connection) -> _Place:
        at = time.monotonic()
        place = await _Place.now(connection)
        self._ended.heard(_ends(await connection.fetch(_ALL, self._seconds)), at, all_of_them=True)
        return place

    async def _newer(self, connection: _Connection, place: _Place) -> _Place:
        at = time.monotonic()
        # Taken before the reading: what is on its way now is looked for again the next time.
        following = await _Place.now(connection)
        self._ended.heard(_ends(await connection.fetch(_NEWER, str(place.xmin))), at)
        return following

    async def _forget(self, connection: _Connection) -> None:
        for statement in _OLD:
            await connection.execute(statement)

    async def _connect(self) -> _Connection:
        connection: _Connection = await asyncpg.connect(
            self._dsn,
            timeout=_ANSWER_SECONDS,
            command_timeout=_ANSWER_SECONDS,
            server_settings={"application_name": "ecommerce-api-sessions"},
        )
        return connection


def _ends(rows: list[asyncpg.Record]) -> list[End]:
    return [End(row["user_id"], row["session_id"], row["below_version"]) for row in rows]
