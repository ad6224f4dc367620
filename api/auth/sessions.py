"""The sessions' table: beginning a session, and ending one or all of an account's."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

import asyncpg

from api.auth.ended import End, EndedSessions, Session
from api.auth.users import Account, AccountsDatabase, Connection
from api.settings import ViewsSettings
from schemas.envelope import fresh_id

# An account that has changed since its password was looked at begins no session.
_BEGIN = """
INSERT INTO identity.sessions (session_id, user_id, session_version, expires_at)
SELECT $1::uuid, user_id, session_version, $4::timestamptz FROM identity.users
WHERE user_id = $2 AND session_version = $3 AND deactivated_at IS NULL
RETURNING session_id
"""
# What it does not find has no row any more, and ends all the same.
_END = """
WITH ended AS (UPDATE identity.sessions SET ended_at = now() WHERE session_id = $1 AND ended_at IS NULL)
INSERT INTO identity.session_ends (user_id, session_id) VALUES ($2, $1)
"""
_END_ALL = """
UPDATE identity.users SET session_version = session_version + 1 WHERE user_id = $1 RETURNING session_version
"""
_SET_HASH = """
UPDATE identity.users SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2
RETURNING session_version
"""


class Sessions(Protocol):
    """The store of sessions. Every process knows within a second that one has ended."""

    async def begin(self, account: Account, seconds: int) -> str | None:
        """Return the id of a new session, or None where the account has changed since it was read."""
        ...

    async def end(self, session: Session) -> None:
        """End one session."""
        ...

    async def end_all(self, user_id: str) -> None:
        """End every session of a user."""
        ...

    async def change_password(self, account: Account, password_hash: str, seconds: int) -> Session | None:
        """Set a password, end every session, begin a new one; None where another password is there by now."""
        ...


class PostgresSessions:
    """Sessions in PostgreSQL; a database that does not answer becomes a 503 Problem.

    What this process ends it knows at once; `ended` hears of it again, as it does in every other process.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        ended: EndedSessions,
        limits: ViewsSettings | None = None,
    ) -> None:
        self._database = AccountsDatabase(pool, limits)
        self._ended = ended

    async def begin(self, account: Account, seconds: int) -> str | None:
        """Return the id of a new session, or None where the account has changed since it was read."""
        async with self._database.connected() as connection:
            return await _begin(connection, account.user.user_id, account.session_version, seconds)

    async def end(self, session: Session) -> None:
        """End one session."""
        async with self._database.connected() as connection:
            await connection.execute(_END, session.session_id, session.user_id)
        self._ended.note(End(session.user_id, session.session_id, None))

    async def end_all(self, user_id: str) -> None:
        """End every session of a user."""
        async with self._database.connected() as connection:
            version = await connection.fetchval(_END_ALL, user_id)
        if version is not None:
            self._ended.note(End(user_id, None, version))

    async def change_password(self, account: Account, password_hash: str, seconds: int) -> Session | None:
        """Set a password, end every session, begin a new one; None where another password is there by now."""
        user_id = account.user.user_id
        async with self._database.connected() as connection, connection.transaction():
            version = await connection.fetchval(_SET_HASH, user_id, account.password_hash, password_hash)
            if version is None:
                return None
            session_id = await _begin(connection, user_id, version, seconds)
        self._ended.note(End(user_id, None, version))
        if session_id is None:
            return None
        expires_at = int((datetime.now(UTC) + timedelta(seconds=seconds)).timestamp())
        return Session(session_id, user_id, version, expires_at)


async def _begin(connection: Connection, user_id: str, version: int, seconds: int) -> str | None:
    expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
    begun = await connection.fetchval(_BEGIN, fresh_id(), user_id, version, expires_at)
    return str(begun) if begun is not None else None
