"""The SQL of a flush, made from the declaration of a table. Names come from declarations, never from data."""

from collections.abc import Sequence

from connectors.postgres.table import Table


def stage_of(table: Table) -> str:
    """Return the name of the table's staging table."""
    return f"stage_{table.name}"


def create_stage(table: Table) -> str:
    """Return the statement that makes the staging table: temporary, so unlogged; emptied by each commit."""
    return (
        f"CREATE TEMPORARY TABLE {stage_of(table)} ON COMMIT DELETE ROWS AS"  # noqa: S608 # declared names
        f" SELECT {_columns(table)} FROM {table.name} WITH NO DATA"
    )


def find(table: Table) -> str:
    """Return the statement that tells which of the keys in $1 the table has."""
    key = table.key[0]
    return f"SELECT {key} FROM {table.name} WHERE {key} = ANY($1)"  # noqa: S608 # declared names


def merge(table: Table) -> str:
    """Return the statement that moves staged rows into the table.

    Of versioned tables it returns the keys of the rows that won. Behind the key stands whether the row
    replaced another: an inserted row has never been locked (xmax 0).
    """
    moved = (
        f"INSERT INTO {table.name} ({_columns(table)}) SELECT {_columns(table)} FROM {stage_of(table)}"  # noqa: S608 # declared names
        f" ON CONFLICT ({', '.join(table.key)}) {_on_conflict(table)}"
    )
    return moved if table.version is None else f"{moved} RETURNING {', '.join(table.key)}, xmax <> 0"


def delete(table: Table, owned: Sequence[Table]) -> str:
    """Return the statement that deletes the row at a key, with what it owns, where it is older.

    Its values are the key's columns and then the offset that the row's must be below.
    """
    where = " AND ".join(f"{column} = ${place}" for place, column in enumerate(table.key, start=1))
    gone = (
        f"DELETE FROM {table.name} WHERE {where} AND {table.offset} < ${len(table.key) + 1}"  # noqa: S608 # declared names
        f" RETURNING {table.key[0]}"
    )
    parts = [
        f"drop_{each.name} AS (DELETE FROM {each.name} WHERE {_owner_key(each)} IN (SELECT * FROM gone))"  # noqa: S608 # declared names
        for each in owned
    ]
    return f"WITH {', '.join([f'gone AS ({gone})', *parts])} SELECT count(*) FROM gone"  # noqa: S608 # declared names


def drop_owned(table: Table) -> str:
    """Return the statement that drops what the owners in $1 had before."""
    return f"DELETE FROM {table.name} WHERE {_owner_key(table)} = ANY($1)"  # noqa: S608 # declared names


def insert_owned(table: Table) -> str:
    """Return the statement that moves the staged rows of the owners in $1 into the table."""
    return (
        f"INSERT INTO {table.name} ({_columns(table)}) SELECT {_columns(table)} FROM {stage_of(table)}"  # noqa: S608 # declared names
        f" WHERE {_owner_key(table)} = ANY($1)"
    )


def _columns(table: Table) -> str:
    return ", ".join(table.columns)


def _owner_key(table: Table) -> str:
    assert table.owner is not None
    return table.owner.key[0]


def _on_conflict(table: Table) -> str:
    if table.version is None:
        return "DO NOTHING"
    changes = ", ".join(f"{each} = excluded.{each}" for each in table.columns if each not in table.key)
    return f"DO UPDATE SET {changes} WHERE excluded.{table.version} > {table.name}.{table.version}"
