"""A schema's history: revisions that bring its tables from empty to what the code expects (alembic)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from topics.patience import patiently
from topics.settings import Settings

# Any number of processes may start at once: the first migrates, the others wait and find nothing to do.
_LOCK = 0x65636F6D
_ENVIRONMENT = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class History:
    """Where the revisions lie, and who may do what with the tables, given anew after every upgrade."""

    versions: Path
    grant: Callable[[Connection, str], None]

    def upgrade(self, settings: Settings, schema: str, revision: str = "head") -> None:
        """Create or upgrade the tables of `schema` to `revision`.

        A database that is starting is waited for. Raises sqlalchemy.exc.OperationalError where none answers.
        """
        url = make_url(settings.postgres_dsn).set(drivername="postgresql+psycopg")
        engine = create_engine(url, poolclass=NullPool)
        patiently(lambda: self._upgrade(engine, schema, revision))

    def _upgrade(self, engine: Engine, schema: str, revision: str) -> None:
        config = Config()
        config.set_main_option("script_location", str(_ENVIRONMENT))
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", str(self.versions))
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            config.attributes["connection"] = connection
            config.attributes["schema"] = schema
            command.upgrade(config, revision)
            self.grant(connection, schema)
