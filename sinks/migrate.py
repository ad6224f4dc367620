"""Brings the views' database to the newest revision."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from sinks.roles import grant
from topics.patience import patiently
from topics.settings import Settings

SCHEMA = "public"
# Any number of processes may start at once: the first migrates, the others wait and find nothing to do.
_LOCK = 0x65636F6D


def migrate(settings: Settings, schema: str = SCHEMA, revision: str = "head") -> None:
    """Create or upgrade the tables of `schema` to `revision`, and give each role its rights on them.

    A database that is starting is waited for. Raises sqlalchemy.exc.OperationalError where none answers.
    """
    url = make_url(settings.postgres_dsn).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    patiently(lambda: _upgrade(engine, config, schema, revision))


def _upgrade(engine: Engine, config: Config, schema: str, revision: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        config.attributes["connection"] = connection
        config.attributes["schema"] = schema
        command.upgrade(config, revision)
        grant(connection, schema)
