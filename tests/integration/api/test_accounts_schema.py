"""Accounts are no views: they outlive views that are dropped, and leave an older database whole."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from deploy.run.migrate import bring_up_to_date
from sinks.migrate import migrate as migrate_views
from topics.settings import Settings

ADD = "INSERT INTO {} (user_id, email, password_hash) VALUES ($1, 'ada@example.org', 'hash')"
BOUGHT = "INSERT INTO {} (cart_id, user_id) VALUES ($1, $2)"
TABLES = {"users", "sessions", "session_ends", "guest_carts", "outbox", "alembic_version"}


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres)
    yield connection
    await connection.close()


async def tables(database: asyncpg.Connection, schema: str) -> set[str]:
    rows = await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1", schema)
    return {row["tablename"] for row in rows}


async def test_they_outlive_the_views(settings: Settings, database: asyncpg.Connection) -> None:
    bring_up_to_date(settings)
    user = uuid4()
    await database.execute(ADD.format("identity.users"), user)
    await database.execute("DROP SCHEMA public CASCADE")
    bring_up_to_date(settings)
    assert "orders" in await tables(database, "public")
    assert await database.fetchval("SELECT user_id FROM identity.users") == user
    assert not await tables(database, "public") & (TABLES - {"alembic_version"})
    assert await tables(database, "identity") == TABLES


async def test_those_of_an_older_database_move_with_all_that_belongs_to_them(
    settings: Settings, database: asyncpg.Connection
) -> None:
    migrate_views(settings, revision="0010")
    user, cart = uuid4(), uuid4()
    await database.execute(ADD.format("public.users"), user)
    await database.execute(BOUGHT.format("public.guest_carts"), cart, user)
    bring_up_to_date(settings)
    assert (
        await database.fetchval("SELECT cart_id FROM identity.guest_carts WHERE user_id = $1", user) == cart
    )
    assert not await tables(database, "public") & (TABLES - {"alembic_version"})
    # Who changes an account by hand still ends its sessions.
    await database.execute("UPDATE identity.users SET role = 'staff' WHERE user_id = $1", user)
    assert await database.fetchval("SELECT below_version FROM identity.session_ends") == 2
    await database.execute("DELETE FROM identity.users WHERE user_id = $1", user)
    assert await database.fetchval("SELECT count(*) FROM identity.guest_carts") == 0
