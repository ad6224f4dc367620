"""The users' table: where accounts live, and nowhere else."""

from dataclasses import dataclass
from typing import Protocol

import asyncpg

from api.auth.passwords import Passwords, check
from api.auth.tokens import Role, User
from schemas.envelope import fresh_id
from topics.settings import Settings


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
    """Accounts in the `users` table."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def add(self, account: Account) -> None:
        """Add an account; raises EmailTakenError where the address is taken."""
        user = account.user
        try:
            await self._pool.execute(
                "INSERT INTO users (user_id, email, password_hash, role) VALUES ($1, $2, $3, $4)",
                user.user_id,
                user.email,
                account.password_hash,
                user.role.value,
            )
        except asyncpg.UniqueViolationError as error:
            raise EmailTakenError(user.email) from error

    async def by_email(self, email: str) -> Account | None:
        """Return the account of an address."""
        row = await self._pool.fetchrow(
            "SELECT user_id, email, role, password_hash FROM users WHERE lower(email) = lower($1)", email
        )
        if row is None:
            return None
        user = User(str(row["user_id"]), row["email"], Role(row["role"]))
        return Account(user, row["password_hash"])


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
        row = await connection.fetchrow(
            "UPDATE users SET role = 'staff', password_hash = coalesce($2, password_hash) "
            "WHERE lower(email) = lower($1) RETURNING user_id, email",
            email,
            hashed,
        )
        if row is None and hashed is None:
            raise ValueError(f"email: {email} has no account; give a password to create one")
        if row is None:
            row = await connection.fetchrow(
                "INSERT INTO users (user_id, email, password_hash, role) VALUES ($1, $2, $3, 'staff') "
                "RETURNING user_id, email",
                fresh_id(),
                email,
                hashed,
            )
    finally:
        await connection.close()
    assert row is not None
    return User(str(row["user_id"]), row["email"], Role.STAFF)
