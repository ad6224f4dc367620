"""Brings the accounts' schema to the newest revision, and gives each role its rights on it."""

from pathlib import Path

from sqlalchemy import Connection

from connectors.postgres.history import History
from connectors.postgres.roles import present
from topics.credentials import Role
from topics.settings import Settings

SCHEMA = "identity"

_CHANGE = "SELECT, INSERT, UPDATE, DELETE"
_RIGHTS = {
    "users": {Role.API: _CHANGE},
    "sessions": {Role.API: _CHANGE},
    "session_ends": {Role.API: _CHANGE},
    "guest_carts": {Role.API: _CHANGE},
    "outbox": {Role.API: "SELECT, INSERT", Role.OUTBOX: "SELECT, DELETE", Role.READER: "SELECT"},
}


def migrate(settings: Settings) -> None:
    """Create or upgrade the accounts' tables; the views' are there already (`sinks.migrate`).

    A database that is starting is waited for. Raises sqlalchemy.exc.OperationalError where none answers.
    """
    _ACCOUNTS.upgrade(settings, SCHEMA)


def _grant(connection: Connection, schema: str) -> None:
    there = present(connection)
    for table, rights in _RIGHTS.items():
        for role in there & rights.keys():
            connection.exec_driver_sql(f'GRANT USAGE ON SCHEMA "{schema}" TO {role}')
            connection.exec_driver_sql(f'GRANT {rights[role]} ON "{schema}"."{table}" TO {role}')
    if Role.API in there:
        connection.exec_driver_sql(f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA "{schema}" TO {Role.API}')


_ACCOUNTS = History(Path(__file__).parent / "migrations", _grant)
