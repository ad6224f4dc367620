"""The users' table: where accounts live, and nowhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import asyncpg

from api.auth.address import Address
from api.auth.outbox import announce
from api.auth.tokens import FIRST_VERSION, Role, User
from api.problems import unavailable
from api.settings import ViewsSettings
from api.views import AWAY, Row, Views

Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)

_ACCOUNT = "SELECT user_id, email, role, password_hash, session_version, deactivated_at FROM identity.users"
# Accounts of an older release have no address yet, and are found by what they were registered with.
BY_ADDRESS = "(address = $1 OR (address IS NULL AND lower(email) = ANY($2::text[])))"


@dataclass(frozen=True)
class Account:
    """A user with the password's hash. Sessions below `session_version` have ended."""

    user: User
    password_hash: str
    session_version: int = FIRST_VERSION
    active: bool = True


class EmailTakenError(Exception):
    """Another account has this email address."""


class Users(Protocol):
    """The store of accounts; an address names one account, however it is written."""

    async def add(self, account: Account) -> None:
        """Add an account; raises EmailTakenError where the address is taken."""
        ...

    async def by_email(self, email: str) -> Account | None:
        """Return the account of an address; a text that is no address has none."""
        ...

    async def by_id(self, user_id: str) -> Account | None:
        """Return an account."""
        ...

    async def claim(self, user_id: str, guest_cart: str) -> None:
        """Make what was bought with a guest's cart the account's; the first to claim it keeps it."""
        ...


class AccountsDatabase:
    """Connections of the pool, for transactions on accounts."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", limits: ViewsSettings | None = None) -> None:
        self._pool = pool
        self._wait_s = (limits or ViewsSettings()).wait_seconds

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """Give a connection; one that does not come in time is no reason to wait for ever.

        A database that does not answer becomes a 503 Problem.
        """
        try:
            async with self._pool.acquire(timeout=self._wait_s) as connection:
                yield connection
        except AWAY as error:
            raise unavailable("the database of accounts") from error


class PostgresUsers:
    """Accounts in the `users` table; a database that does not answer becomes a 503 Problem."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", limits: ViewsSettings | None = None) -> None:
        self._views = Views(pool, limits)
        self._database = AccountsDatabase(pool, limits)

    async def add(self, account: Account) -> None:
        """Add an account; raises EmailTakenError where the address is taken, ValueError where it is none."""
        try:
            async with self._database.connected() as connection, connection.transaction():
                await insert(connection, account.user, account.password_hash)
        except asyncpg.UniqueViolationError as error:
            raise EmailTakenError(account.user.email) from error

    async def by_email(self, email: str) -> Account | None:
        """Return the account of an address; a text that is no address has none."""
        try:
            address = Address.of(email)
        except ValueError:
            return None
        row = await self._views.row(
            f"{_ACCOUNT} WHERE {BY_ADDRESS} ORDER BY address NULLS FIRST LIMIT 1",
            address.key,
            list(address.older),
        )
        return _account(row)

    async def claim(self, user_id: str, guest_cart: str) -> None:
        """Make what was bought with a guest's cart the account's; the first to claim it keeps it."""
        await self._views.rows(
            "INSERT INTO identity.guest_carts (cart_id, user_id) VALUES ($1, $2)"
            " ON CONFLICT (cart_id) DO NOTHING",
            guest_cart,
            user_id,
        )

    async def by_id(self, user_id: str) -> Account | None:
        """Return an account."""
        return _account(await self._views.row(f"{_ACCOUNT} WHERE user_id = $1", user_id))


def _account(row: Row | None) -> Account | None:
    if row is None:
        return None
    user = User(str(row["user_id"]), row["email"], Role(row["role"]))
    return Account(user, row["password_hash"], row["session_version"], active=row["deactivated_at"] is None)


async def insert(connection: Connection, user: User, password_hash: str) -> None:
    """Add an account and tell of it, in the caller's transaction."""
    row = await connection.fetchrow(
        "INSERT INTO identity.users (user_id, email, address, password_hash, role)"
        " VALUES ($1, $2, $3, $4, $5) RETURNING version, created_at, updated_at",
        user.user_id,
        user.email,
        Address.of(user.email).key,
        password_hash,
        user.role.value,
    )
    assert row is not None
    await announce(connection, user, row["version"], row["created_at"], row["updated_at"])
