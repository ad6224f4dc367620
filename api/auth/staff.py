"""Who is staff: decided by whoever operates the platform, never through the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from api.auth.address import Address
from api.auth.outbox import announce
from api.auth.password_rules import check
from api.auth.passwords import Passwords, made_up
from api.auth.tokens import Role, User
from api.auth.users import BY_ADDRESS, Connection, insert
from schemas.envelope import fresh_id
from topics.settings import Settings

_FIND = f"SELECT user_id, email, role, verified_at FROM identity.users WHERE {BY_ADDRESS}"  # noqa: S608 (a constant)
_FIND += " ORDER BY address NULLS FIRST LIMIT 1 FOR UPDATE"


class AccountError(ValueError):
    """An account cannot be changed as asked; the message is for the operator."""


@dataclass(frozen=True)
class Promoted:
    """A staff account; `password` is its new one where it got one that only this answer knows."""

    user: User
    password: str | None = None


async def make_staff(settings: Settings, email: str, password: str | None) -> Promoted:
    """Make the account of `email` a staff account: promote it, or create it with `password`.

    An existing account gets `password` where one is given. Where none is, and nobody has verified that the
    address is its owner's, whoever registered it may be anybody: it gets a made-up password. Its sessions
    end. Raises AccountError where the address is none, or has neither an account nor a password, asyncpg's
    errors and OSError where the database does not answer, and api.problems.Problem where the password breaks
    a rule.
    """
    address = _address(email)
    if password is not None:
        check(password, address.written)
    async with _transaction(settings) as connection:
        found = await _find(connection, address)
        if found is None:
            if password is None:
                raise AccountError(f"email: {email} has no account; give a password to create one")
            user = User(fresh_id(), address.written, Role.STAFF)
            await insert(connection, user, await Passwords().hash(password))
            return Promoted(user)
        user = User(str(found["user_id"]), found["email"], Role.STAFF)
        new = password
        if new is None and found["role"] != Role.STAFF and found["verified_at"] is None:
            new = made_up()
        if new is not None:
            await connection.execute(
                "UPDATE identity.users SET password_hash = $2 WHERE user_id = $1",
                found["user_id"],
                await Passwords().hash(new),
            )
        await _set_role(connection, user, before=found["role"])
        return Promoted(user, new if password is None else None)


async def revoke_staff(settings: Settings, email: str) -> User:
    """Make the account of `email` a customer's, and end all of its sessions.

    Raises AccountError where the address has no account, asyncpg's errors and OSError where the database does
    not answer.
    """
    async with _transaction(settings) as connection:
        found = await _find(connection, _address(email))
        if found is None:
            raise AccountError(f"email: {email} has no account")
        user = User(str(found["user_id"]), found["email"], Role.CUSTOMER)
        await _set_role(connection, user, before=found["role"])
        await connection.execute(
            "UPDATE identity.users SET session_version = session_version + 1 WHERE user_id = $1",
            found["user_id"],
        )
    return user


def _address(email: str) -> Address:
    try:
        return Address.of(email)
    except ValueError as error:
        raise AccountError(f"email: {error}") from None


@asynccontextmanager
async def _transaction(settings: Settings) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(settings.postgres_dsn)
    try:
        async with connection.transaction():
            yield connection
    finally:
        await connection.close()


async def _find(connection: Connection, address: Address) -> asyncpg.Record | None:
    return await connection.fetchrow(_FIND, address.key, list(address.older))


async def _set_role(connection: Connection, user: User, before: str) -> None:
    """Give an account the user's role; what is public is told only if it is new."""
    if before == user.role:
        return
    row = await connection.fetchrow(
        "UPDATE identity.users SET role = $2, version = version + 1, updated_at = now() WHERE user_id = $1 "
        "RETURNING version, created_at, updated_at",
        user.user_id,
        user.role.value,
    )
    assert row is not None
    await announce(connection, user, row["version"], row["created_at"], row["updated_at"])
