"""Real servers for tests: each started once per session, on first use, on free ports, in its own directory.

The servers are the embedded ones of the platform (`deploy.embedded`), started as plain child processes.
"""

import fcntl
import itertools
import os
import random
import signal
import subprocess
import tempfile
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from deploy.embedded.elasticsearch import external
from deploy.embedded.elasticsearch_peer import elasticsearch_peer
from deploy.embedded.kafka import kafka
from deploy.embedded.postgres import postgres
from deploy.embedded.postgres_roles import ADMIN
from deploy.embedded.redis import ADMIN as REDIS_ADMIN
from deploy.embedded.redis import DATABASES, redis
from deploy.embedded.sockets import bindable
from deploy.processes.process import External, NotReadyError, Process, silent
from topics.credentials import FILE, Role, make
from topics.settings import PortOffset, Settings

_BASES = range(20100, 31900, 100)
_POLL_SECONDS = 0.05


class StackError(Exception):
    """A server of the test stack cannot be started; the message ends with its log."""


def wait_ready(server: Process | External, alive: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until `server` serves, at most its own `start_seconds`.

    Raises StackError where its process ends first or the time is over.
    """
    deadline = time.monotonic() + server.start_seconds
    assert server.ready is not None
    while True:
        try:
            server.ready()
        except NotReadyError as error:
            if alive is not None and alive.poll() is not None:
                raise StackError(f"{server.title} ended with status {alive.returncode}") from error
            if time.monotonic() > deadline:
                raise StackError(
                    f"{server.title} is not ready in {server.start_seconds} s: {error}"
                ) from error
            time.sleep(_POLL_SECONDS)
        else:
            return


def free_port_base() -> int:
    """Return a port base below the range of outgoing connections whose server ports are all free.

    It stays this process's own to its end: servers start late, and no other session may choose it
    meanwhile.
    """
    for base in random.sample(_BASES, k=len(_BASES)):
        if _reserve(base) and all(bindable("127.0.0.1", base + offset) for offset in PortOffset):
            return base
    raise StackError(f"no free range of ports between {_BASES.start} and {_BASES.stop}")


def _reserve(base: int) -> bool:
    try:
        lock = os.open(f"{tempfile.gettempdir()}/ecommerce-ports-{base}.lock", os.O_RDWR | os.O_CREAT)
    except PermissionError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    # Left open: the lock ends with this process.
    return True


@dataclass
class Child:
    """One running server of the test stack."""

    server: Process
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        assert self._process is not None, f"{self.server.title} was never started"
        return self._process

    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Prepare and start the server and wait until it serves; nothing is done where it runs."""
        if self.running():
            return
        self.server.prepare(silent)
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.log.touch(mode=0o600)
        with self.log.open("ab") as handle:
            self._process = subprocess.Popen(
                self.server.command,
                stdout=handle,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.server.directory,
                env={**os.environ, **self.server.environment},
                start_new_session=True,
                umask=0o077,
            )
        try:
            wait_ready(self.server, self.process)
        except KeyboardInterrupt:
            self.kill()
            raise
        except StackError as error:
            self.kill()
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])
            raise StackError(f"{error}\n{tail}") from error

    def stop(self) -> None:
        """Stop the server cleanly; kill it where that takes too long."""
        if not self.running():
            return
        self.process.send_signal(signal.Signals[f"SIG{self.server.stop_signal}"])
        try:
            self.process.wait(self.server.stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the server and its children at once (SIGKILL); when this returns, all are gone."""
        children: list[psutil.Process] = []
        if self.running():
            # A server that sees its children die would have others.
            self.process.send_signal(signal.SIGSTOP)
            children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        for each in children:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        # A successor finds the port and the shared memory free.
        psutil.wait_procs(children, self.server.stop_seconds)

    def restart(self) -> None:
        """Stop the server cleanly and start it again on the same data and ports."""
        self.stop()
        self.start()


class Stack:
    """The session's servers; each starts when it is first asked for."""

    def __init__(self, directory: Path) -> None:
        self.settings = Settings(
            data_dir=directory,
            credentials=directory / FILE,
            port_base=free_port_base(),
            kafka=None,
            postgres=None,
            redis=None,
            payment_provider=None,
            # One address may come from outside: the peer is big, and CI may have one already.
            elasticsearch=os.environ.get("ECOMMERCE_ELASTICSEARCH"),
        )
        _, self._admins = make(self.settings.credentials_file)
        self._children: dict[str, Child] = {}
        self._redis_databases = itertools.count(1)

    def kafka(self) -> Child:
        """Return the running broker."""
        return self._running(kafka(self.settings))

    def postgres(self) -> Child:
        """Return the running PostgreSQL."""
        return self._running(postgres(self.settings))

    def redis(self) -> Child:
        """Return the running Redis."""
        return self._running(redis(self.settings))

    def elasticsearch_url(self) -> str:
        """Return the URL of a running Elasticsearch: `ECOMMERCE_ELASTICSEARCH`, else the test peer."""
        if self.settings.elasticsearch:
            wait_ready(external(self.settings.elasticsearch))
            return self.settings.elasticsearch
        return self._running(elasticsearch_peer(self.settings)).server.address

    def fresh_database(self) -> str:
        """Create an empty PostgreSQL database and return its DSN."""
        self.postgres()
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self.postgres_admin, autocommit=True) as connection:
            label, owner = sql.Identifier(name), sql.Identifier(Role.OWNER)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(label, owner))
        return self.settings.postgres_dsn.rsplit("/", 1)[0] + f"/{name}"

    def fresh_redis(self) -> str:
        """Return the URL of a Redis database that no other test of the session uses."""
        self.redis()
        index = next(self._redis_databases)
        if index >= DATABASES:
            raise StackError(f"more than {DATABASES - 1} Redis databases in one session")
        return self.settings.redis_url.rsplit("/", 1)[0] + f"/{index}"

    @property
    def postgres_admin(self) -> str:
        """DSN of the superuser, whom no process of the platform knows."""
        return self.settings.postgres_at(ADMIN, self._admins.postgres)

    def redis_admin(self, url: str) -> str:
        """Return the URL of a user of the same Redis database who may do anything."""
        return (
            self.settings.redis_at(REDIS_ADMIN, self._admins.redis).rsplit("/", 1)[0]
            + f"/{url.rsplit('/', 1)[1]}"
        )

    def close(self) -> None:
        """Stop every server, the last started first."""
        for child in reversed(self._children.values()):
            child.stop()

    def _running(self, server: Process | External) -> Child:
        assert isinstance(server, Process), "the test stack's addresses are its own"
        child = self._children.get(server.name)
        if child is None:
            child = Child(server, self.settings.data_dir / "logs" / f"{server.name}.log")
            self._children[server.name] = child
        # Started again, too, where a test that killed it has failed: that is no reason for others to.
        child.start()
        return child
