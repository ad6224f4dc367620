"""Telling others of an account: a row of the outbox, in the transaction that changes the account."""

from datetime import datetime

import asyncpg
import msgspec

from api.auth.tokens import User
from api.context import correlation_id, traceparent
from schemas.user import UserRole, UserSnapshot
from topics.registry import USER_REGISTERED, USER_UPDATED

_INSERT = """
INSERT INTO identity.outbox (topic, key, version, data, correlation_id, traceparent, occurred_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_FIRST = 1


async def announce(
    connection: "asyncpg.Connection[asyncpg.Record]",
    user: User,
    version: int,
    registered_at: datetime,
    updated_at: datetime,
) -> None:
    """Write the account's public state after a change, whose row the caller's transaction has locked."""
    data = UserSnapshot(
        email=user.email,
        role=UserRole(user.role),
        registered_at=_milliseconds(registered_at),
        updated_at=_milliseconds(updated_at),
    )
    await connection.execute(
        _INSERT,
        (USER_REGISTERED if version == _FIRST else USER_UPDATED).name,
        user.user_id,
        version,
        msgspec.json.encode(data).decode(),
        correlation_id.get() or None,
        traceparent.get(),
        updated_at,
    )


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
