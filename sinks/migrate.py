"""Brings the views' database to the newest revision."""

from pathlib import Path

from connectors.postgres.history import History
from sinks.roles import grant
from topics.settings import Settings

SCHEMA = "public"

_VIEWS = History(Path(__file__).parent / "migrations" / "versions", grant)


def migrate(settings: Settings, schema: str = SCHEMA, revision: str = "head") -> None:
    """Create or upgrade the views of `schema` to `revision`, and give each role its rights on them.

    A database that is starting is waited for. Raises sqlalchemy.exc.OperationalError where none answers.
    """
    _VIEWS.upgrade(settings, schema, revision)
