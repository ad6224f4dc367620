"""Nobody else on the machine is trusted: what another user of it, or a program without a password, can do."""

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis as redis_client

from deploy.embedded.directory import close
from deploy.run.migrate import bring_up_to_date
from tests.stack import Stack
from topics.credentials import ADMIN_FILE, FILE, Role, read
from topics.settings import PortOffset, Settings


@pytest.fixture
def views(stack: Stack, postgres: str) -> Settings:
    chosen = stack.settings.model_copy(update={"postgres": postgres})
    bring_up_to_date(chosen)
    return chosen


def as_role(stack: Stack, dsn: str, role: Role) -> psycopg.Connection[tuple[object, ...]]:
    made = read(stack.settings.credentials_file)
    assert made is not None
    return psycopg.connect(stack.settings.postgres_at(role, made.postgres[role], dsn.rsplit("/", 1)[1]))


@pytest.mark.parametrize("login", ["ecommerce", "ecommerce_api", "ecommerce_owner", "postgres"])
@pytest.mark.parametrize("password", ["", "ecommerce", "x"])
def test_no_role_enters_without_its_password(stack: Stack, postgres: str, login: str, password: str) -> None:
    at = stack.settings.postgres_at(login, password, postgres.rsplit("/", 1)[1])
    with pytest.raises(psycopg.OperationalError, match=r"password|authentication"):
        psycopg.connect(at)


@pytest.mark.parametrize("role", list(Role))
def test_no_role_runs_programs_or_reads_files(stack: Stack, views: Settings, role: Role) -> None:
    attempts = [
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "SELECT pg_read_file('/etc/passwd')",
        "CREATE ROLE other SUPERUSER",
    ]
    for attempt in attempts:
        with (
            as_role(stack, views.postgres_dsn, role) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(attempt.encode())


ALLOWED = {
    (Role.API, "SELECT * FROM orders"),
    (Role.API, "UPDATE identity.users SET version = version"),
    (Role.API, "SELECT * FROM identity.users"),
    (Role.SINK, "SELECT * FROM orders"),
    (Role.SINK, "DELETE FROM orders"),
    (Role.OUTBOX, "DELETE FROM identity.outbox"),
    (Role.READER, "SELECT * FROM orders"),
}
ASKED = [
    "SELECT * FROM orders",
    "DELETE FROM orders",
    "SELECT * FROM identity.users",
    "UPDATE identity.users SET version = version",
    "DELETE FROM identity.outbox",
    "DROP TABLE orders",
    "CREATE TABLE mine (a int)",
]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_each_role_has_the_rights_that_it_needs_and_no_others(
    stack: Stack, views: Settings, role: Role
) -> None:
    with as_role(stack, views.postgres_dsn, role) as connection:
        for asked in ASKED:
            try:
                with connection.transaction():
                    connection.execute(asked.encode())
            except psycopg.errors.InsufficientPrivilege:
                assert (role, asked) not in ALLOWED
            else:
                assert (role, asked) in ALLOWED


@pytest.mark.parametrize(
    "command",
    [
        ("CONFIG", "SET", "dir", "/tmp"),
        ("CONFIG", "SET", "dbfilename", "x"),
        ("CONFIG", "GET", "*"),
        ("SAVE",),
        ("BGSAVE",),
        ("MODULE", "LIST"),
        ("DEBUG", "SLEEP", "0"),
        ("ACL", "LIST"),
        ("REPLICAOF", "127.0.0.1", "1"),
        ("SHUTDOWN",),
        ("FLUSHALL",),
    ],
)
def test_the_platforms_redis_user_cannot_turn_the_server_against_the_machine(
    redis_url: str, command: tuple[str, ...]
) -> None:
    with redis_client.Redis.from_url(redis_url) as connection:
        with pytest.raises(redis_client.ResponseError):
            connection.execute_command(*command)
        assert connection.ping()


def test_not_even_the_admin_moves_the_redis_files(stack: Stack, redis_url: str) -> None:
    with redis_client.Redis.from_url(stack.redis_admin(redis_url)) as connection:
        for setting, value in (("dir", "/tmp"), ("dbfilename", "x")):
            with pytest.raises(redis_client.ResponseError, match="protected"):
                connection.config_set(setting, value)


def test_redis_asks_for_a_password(stack: Stack) -> None:
    stack.redis()
    port = stack.settings.port(PortOffset.REDIS)
    for url in (f"redis://127.0.0.1:{port}/0", stack.settings.redis_at("ecommerce", "wrong")):
        with redis_client.Redis.from_url(url) as connection, pytest.raises(redis_client.AuthenticationError):
            connection.ping()


def test_no_password_stands_in_a_command_line(stack: Stack) -> None:
    for child in (stack.kafka(), stack.postgres(), stack.redis()):
        told = " ".join(psutil.Process(child.process.pid).cmdline())
        for secret in secrets_of(stack.settings):
            assert secret not in told


def secrets_of(settings: Settings) -> list[str]:
    found: list[str] = []
    for name in (FILE, ADMIN_FILE):
        for value in json.loads(settings.credentials_file.with_name(name).read_text()).values():
            found += value.values() if isinstance(value, dict) else [value]
    return found


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="another user can be played by root alone")


@pytest.fixture(scope="module")
def open_to_all() -> Iterator[Stack]:
    """A stack whose every parent directory anybody may pass, so that only its own rights close it."""
    root = Path("/tmp") / f"ecommerce-trust-{os.getpid()}"
    root.mkdir()
    root.chmod(0o755)
    running = Stack(root / "data")
    close(running.settings)
    for server in (running.kafka, running.postgres, running.redis):
        server()
    yield running
    running.close()
    subprocess.run(["rm", "-r", str(root)], check=True)


def as_nobody(*command: str) -> subprocess.CompletedProcess[str]:
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    return subprocess.run([*drop, *command], capture_output=True, text=True, check=False, cwd="/")


@root_only
def test_another_user_reads_and_writes_nothing_below_the_data_directory(open_to_all: Stack) -> None:
    root = open_to_all.settings.data_dir
    look = 'for f; do if test -e "$f" || touch "$f.x" 2>/dev/null; then echo "$f"; fi; done'
    paths = [str(path) for path in root.rglob("*")]
    assert as_nobody("sh", "-c", look, "sh", str(root.parent), *paths).stdout == f"{root.parent}\n"
    assert as_nobody("ls", str(root)).returncode != 0


@root_only
def test_nothing_below_it_has_rights_for_others(open_to_all: Stack) -> None:
    root = open_to_all.settings.data_dir
    assert not root.stat().st_mode & 0o067
    for path in root.rglob("*"):
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert path.is_symlink() or not mode & 0o077, f"{path} {mode:o}"


@root_only
def test_no_server_runs_as_root_or_as_a_user_that_others_are(open_to_all: Stack) -> None:
    for child in (open_to_all.kafka(), open_to_all.postgres(), open_to_all.redis()):
        ids = psutil.Process(child.process.pid).uids()
        assert set(ids).isdisjoint({0, 65534}), child.server.title
        assert as_nobody("kill", "-0", str(child.process.pid)).returncode != 0


@root_only
def test_data_of_an_earlier_version_is_closed_at_the_next_start(open_to_all: Stack) -> None:
    """It trusted everybody, lay open to all, and belonged to a user whom others are."""
    settings, server = open_to_all.settings, open_to_all.postgres()
    server.stop()
    data = settings.data_dir / "postgres"
    (data / "pg_hba.conf").write_text("host all all all trust\n")
    (data / "ecommerce.credentials").unlink()
    subprocess.run(["chown", "-R", "65534:65534", str(data)], check=True)
    settings.data_dir.chmod(0o755)
    (settings.data_dir / "logs").chmod(0o755)
    close(settings)
    assert not (settings.data_dir / "logs").stat().st_mode & 0o077
    open_to_all.postgres()
    assert psutil.Process(server.process.pid).uids().real not in {0, 65534}
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(settings.postgres_at("ecommerce", ""))
    with psycopg.connect(settings.postgres_dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
