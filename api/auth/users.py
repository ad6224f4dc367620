"""The users' table: where accounts live, and nowhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import asyncpg

from api.auth.outbox import announce
from api.auth.passwords import Passwords, check
from api.auth.tokens import Role, User
from api.problems import unavailable
from api.settings import ViewsSettings
from api.views import AWAY, Views
from schemas.envelope import fresh_id
from topics.settings import Settings

_Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)


@dataclass(frozen=True)
class Account:
    """A user with the password's hash."""

    user: User
    password_hash: str


class EmailTakenError(Exception):
    """Another account has this email address."""


class Users(Protocol):
    """The store of accounts; email addresses are compared without regard to case."""

    async def add(self, account: Account) -> None:
        """Add an account; raises EmailTakenError where the address is taken."""
        ...

    async def by_email(self, email: str) -> Account | None:
        """Return the account of an address."""
        ...


class PostgresUsers:
    """Accounts in the `users` table; a database that does not answer becomes a 503 Problem."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", limits: ViewsSettings | None = None) -> None:
        limits = limits or ViewsSettings()
        self._pool = pool
        self._views = Views(pool, limits)
        self._wait_s = limits.wait_seconds

    async def add(self, account: Account) -> None:
        """Add an account; raises EmailTakenError where the address is taken."""
        user = account.user
        try:
            async with self._connected() as connection, connection.transaction():
                await _insert(connection, user, account.password_hash)
        except asyncpg.UniqueViolationError as error:
            raise EmailTakenError(user.email) from error

    async def by_email(self, email: str) -> Account | None:
        """Return the account of an address."""
        row = await self._views.row(
            "SELECT user_id, email, role, password_hash FROM users WHERE lower(email) = lower($1)", email
        )
        if row is None:
            return None
        user = User(str(row["user_id"]), row["email"], Role(row["role"]))
        return Account(user, row["password_hash"])

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Connection]:
        """Give a connection of the pool; one that does not come in time is no reason to wait for ever."""
        try:
            async with self._pool.acquire(timeout=self._wait_s) as connection:
                yield connection
        except AWAY as error:
            raise unavailable("the database of accounts") from error


async def make_staff(settings: Settings, email: str, password: str | None) -> User:
    """Make the account of `email` a staff account: promote it, or create it with `password`.

    An existing account gets `password` where one is given. Raises ValueError where there is neither an
    account nor a password, and api.problems.Problem where the password breaks a rule.
    """
    if password is not None:
        check(password, email)
    hashed = None if password is None else await Passwords().hash(password)
    connection = await asyncpg.connect(settings.postgres_dsn)
    try:
        async with connection.transaction():
            user = await _promote(connection, email, hashed)
            if user is None and hashed is None:
                raise ValueError(f"email: {email} has no account; give a password to create one")
            if user is None:
                user = User(fresh_id(), email, Role.STAFF)
                await _insert(connection, user, hashed)
    finally:
        await connection.close()
    return user


async def _insert(connection: _Connection, user: User, password_hash: str | None) -> None:
    row = await connection.fetchrow(
        "INSERT INTO users (user_id, email, password_hash, role) VALUES ($1, $2, $3, $4) "
        "RETURNING version, created_at, updated_at",
        user.user_id,
        user.email,
        password_hash,
        user.role.value,
    )
    assert row is not None
    await announce(connection, user, row["version"], row["created_at"], row["updated_at"])


async def _promote(connection: _Connection, email: str, password_hash: str | None) -> User | None:
    """Make an account a staff account; None where there is none. What is public is told only if it is new."""
    before = await connection.fetchrow(
        "SELECT user_id, email, role FROM users WHERE lower(email) = lower($1) FOR UPDATE", email
    )
    if before is None:
        return None
    user = User(str(before["user_id"]), before["email"], Role.STAFF)
    if password_hash is not None:
        await connection.execute(
            "UPDATE users SET password_hash = $2 WHERE user_id = $1", before["user_id"], password_hash
        )
    if before["role"] != Role.STAFF:
        row = await connection.fetchrow(
            "UPDATE users SET role = 'staff', version = version + 1, updated_at = now() WHERE user_id = $1 "
            "RETURNING version, created_at, updated_at",
            before["user_id"],
        )
        assert row is not None
        await announce(connection, user, row["version"], row["created_at"], row["updated_at"])
    return user
