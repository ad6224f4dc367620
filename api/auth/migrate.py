"""Brings the accounts' schema to the newest revision, and gives each role its rights on it."""

from pathlib import Path

from sqlalchemy import Connection

from connectors.postgres.history import History
from connectors.postgres.roles import CHANGE, Rights, grant, present
from topics.credentials import Role
from topics.settings import Settings

SCHEMA = "identity"

_RIGHTS: Rights = {
    "users": {Role.API: CHANGE},
    "sessions": {Role.API: CHANGE},
    "session_ends": {Role.API: CHANGE},
    "guest_carts": {Role.API: CHANGE},
    "outbox": {Role.API: "SELECT, INSERT", Role.OUTBOX: "SELECT, DELETE", Role.READER: "SELECT"},
}


def migrate(settings: Settings) -> None:
    """Create or upgrade the accounts' tables; the views' are there already (`sinks.migrate`).

    A database that is starting is waited for. Raises sqlalchemy.exc.OperationalError where none answers.
    """
    _ACCOUNTS.upgrade(settings, SCHEMA)


def _grant(connection: Connection, schema: str) -> None:
    grant(connection, schema, _RIGHTS)
    if Role.API in present(connection):
        connection.exec_driver_sql(f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA "{schema}" TO {Role.API}')


_ACCOUNTS = History(Path(__file__).parent / "migrations", _grant)
