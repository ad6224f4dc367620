"""The migrations on a real server, and the row types against the tables that they make."""

import asyncio
from datetime import datetime
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import asyncpg
import pytest

from connectors.postgres.table import Table
from sinks.migrate import migrate
from sinks.postgres import TABLES
from topics.settings import Settings

TYPES: dict[Any, set[str]] = {
    str: {"text", "jsonb"},
    int: {"bigint", "integer"},
    bool: {"boolean"},
    bytes: {"bytea"},
    datetime: {"timestamp with time zone"},
    UUID: {"uuid"},
    list: {"ARRAY"},
}


async def test_any_number_of_processes_may_migrate_at_once_and_again(
    settings: Settings, postgres: str
) -> None:
    await asyncio.gather(*(asyncio.to_thread(migrate, settings) for _ in range(4)))
    await asyncio.to_thread(migrate, settings)
    connection = await asyncpg.connect(postgres)
    assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    await connection.close()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_a_row_type_is_its_table(table: Table, database: asyncpg.Connection) -> None:
    rows = await database.fetch(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER'"
        " ORDER BY ordinal_position",
        table.name,
    )
    columns = {row["column_name"]: (row["data_type"], row["is_nullable"] == "YES") for row in rows}
    assert tuple(columns) == table.columns
    for name, hint in get_type_hints(table.row).items():
        data_type, nullable = columns[name]
        options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        (kind,) = (get_origin(option) or option for option in options if option is not type(None))
        assert data_type in TYPES[kind], name
        assert nullable == (type(None) in options), name


async def test_an_email_is_taken_once_whatever_its_case(database: asyncpg.Connection) -> None:
    user = "INSERT INTO identity.users (user_id, email, password_hash) VALUES (gen_random_uuid(), $1, 'hash')"
    await database.execute(user, "Shopper@example.org")
    with pytest.raises(asyncpg.UniqueViolationError):
        await database.execute(user, "shopper@EXAMPLE.org")
    with pytest.raises(asyncpg.CheckViolationError):
        await database.execute("UPDATE identity.users SET role = 'root'")
