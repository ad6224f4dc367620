"""Tables of one name in several schemas: those that serve, those that will, and those that did."""

from collections.abc import Sequence

import asyncpg

from connectors.postgres.table import Table

# A partition does not follow its table into another schema.
_TREE = """
SELECT relid::regclass::text FROM (
    SELECT relid, level FROM pg_partition_tree(to_regclass($1))
    UNION SELECT to_regclass($1), 0 WHERE to_regclass($1) IS NOT NULL
) AS tree ORDER BY level
"""
_THERE = "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename = ANY($2) ORDER BY 1"


async def move(
    connection: asyncpg.Connection, tables: Sequence[Table], *, beside: str, live: str, old: str
) -> None:
    """Move `tables` from schema `beside` to `live`, and what they replace to `old`, within a transaction.

    What is left of `beside` is dropped. Readers find the new tables under the old names. Raises
    asyncpg.DuplicateTableError where `old` still has a table of the name.
    """
    await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{old}"')
    for table in tables:
        await _move(connection, f'"{live}".{table.name}', old)
        await _move(connection, f'"{beside}".{table.name}', live)
    await connection.execute(f'DROP SCHEMA "{beside}" CASCADE')


async def tables_in(dsn: str, tables: Sequence[Table], schema: str) -> list[str]:
    """Return those of the tables' names that a schema has."""
    connection = await asyncpg.connect(dsn)
    try:
        return [row[0] for row in await connection.fetch(_THERE, schema, [each.name for each in tables])]
    finally:
        await connection.close()


async def drop(dsn: str, tables: Sequence[Table], schema: str) -> None:
    """Drop those of the tables that a schema has, and the schema after its last table."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            for table in tables:
                await connection.execute(f'DROP TABLE IF EXISTS "{schema}".{table.name} CASCADE')
            left = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = $1", schema)
            if left == 0:
                await connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
    finally:
        await connection.close()


async def _move(connection: asyncpg.Connection, table: str, schema: str) -> None:
    """Move a table and its partitions, where it is there."""
    for (name,) in await connection.fetch(_TREE, table):
        await connection.execute(f'ALTER TABLE {name} SET SCHEMA "{schema}"')
