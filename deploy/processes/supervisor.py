"""Talking to the supervisor: a daemon of its own that keeps the platform's processes alive."""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ProtocolError, ServerProxy

from supervisor.xmlrpc import Faults, SupervisorTransport

from deploy.embedded.directory import write_private
from deploy.processes.process import Process
from deploy.processes.supervisor_config import render

# A unix socket's path holds 107 bytes, and the supervisor first makes it under a longer name.
_SOCKET_BYTES = 95
_WAIT, _NO_WAIT = True, False
_START_SECONDS = 15.0
_STOP_SECONDS = 15.0
# More than any process is given before it is killed.
_DOWN_SECONDS = 90.0
_POLL_SECONDS = 0.05


class SupervisorError(Exception):
    """The supervisor does not start, or refuses what it is told."""


class State(IntEnum):
    """What the supervisor says of a process."""

    STOPPED = 0
    STARTING = 10
    RUNNING = 20
    BACKOFF = 30
    STOPPING = 40
    EXITED = 100
    FATAL = 200
    UNKNOWN = 1000

    @property
    def is_up(self) -> bool:
        """Whether the supervisor runs the process or is about to."""
        return self in {State.STARTING, State.RUNNING, State.BACKOFF}

    @property
    def is_down(self) -> bool:
        """Whether it stays down until somebody starts it; one that exited is about to be started again."""
        return self in {State.STOPPED, State.FATAL}


@dataclass(frozen=True)
class Info:
    """State of one process; `pid` is 0 and `uptime_s` 0 where it does not run."""

    name: str
    state: State
    pid: int
    uptime_s: int
    description: str


class Supervisor:
    """The supervisor of one data directory."""

    def __init__(self, data_dir: Path) -> None:
        root = data_dir.absolute()
        self.run = root / "run"
        self.logs = root / "logs"
        self.log = self.logs / "supervisor.log"
        self.socket = _socket(self.run)
        self.config = self.run / "supervisor.conf"

    @property
    def is_running(self) -> bool:
        """Whether the daemon answers."""
        try:
            self._call("getState")
        except OSError:
            return False
        return True

    def apply(self, processes: Iterable[Process]) -> None:
        """Start the daemon where it does not run, and make it know exactly these processes.

        A process that is new or whose command or environment changed is known anew and stopped; one that is
        gone from the table is stopped. Raises SupervisorError where the daemon does not come up.
        """
        self.run.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        text = render(processes, self.run, self.logs, self.socket)
        # Addresses of external servers may hold passwords.
        write_private(self.config, text)
        if not self.is_running:
            self._launch()
        ((added, changed, removed),) = self._call("reloadConfig")
        for name in [*removed, *changed]:
            self.stop(name)
            self._call("removeProcessGroup", name)
        for name in [*changed, *added]:
            self._call("addProcessGroup", name)

    def start(self, name: str) -> None:
        """Start a process and do not wait; does nothing where it runs."""
        self._call("startProcess", name, _NO_WAIT, tolerate=Faults.ALREADY_STARTED)

    def stop(self, name: str) -> None:
        """Stop a process and wait for its end; does nothing where it does not run.

        Raises SupervisorError where it is neither stopped nor given up in the end.
        """
        # Of one that ended a moment ago the supervisor says "not running", and starts it again.
        deadline = time.monotonic() + _DOWN_SECONDS
        while True:
            self._call("stopProcess", name, _WAIT, tolerate=Faults.NOT_RUNNING)
            if self.info(name).state.is_down:
                return
            if time.monotonic() > deadline:
                raise SupervisorError(f"{name} does not stop")
            time.sleep(_POLL_SECONDS)

    def info(self, name: str) -> Info:
        """Return the state of one process; raises SupervisorError where it is not known."""
        return _info(self._call("getProcessInfo", name))

    def infos(self) -> dict[str, Info]:
        """Return the state of every known process; empty where the daemon does not run."""
        try:
            rows = self._call("getAllProcessInfo")
        except OSError:
            return {}
        return {row["name"]: _info(row) for row in rows}

    def shutdown(self) -> None:
        """Stop the daemon with whatever it still runs, and wait until it is gone."""
        pid = int(self._call("getPID"))
        self._call("shutdown")
        deadline = time.monotonic() + _STOP_SECONDS
        while _exists(pid):
            if time.monotonic() > deadline:
                raise SupervisorError(f"the supervisor (process {pid}) does not end")
            time.sleep(_POLL_SECONDS)

    def _launch(self) -> None:
        self.socket.unlink(missing_ok=True)
        started = subprocess.run(  # noqa: S603 -- the command is ours
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.config)],
            capture_output=True,
            text=True,
            check=False,
        )
        if started.returncode:
            raise SupervisorError(
                f"the supervisor does not start: {(started.stderr + started.stdout).strip()}"
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_running:
            if time.monotonic() > deadline:
                raise SupervisorError(f"the supervisor does not answer; see {self.log}")
            time.sleep(_POLL_SECONDS)

    def _call(self, method: str, *arguments: object, tolerate: int | None = None) -> Any:
        # A connection of its own for each call: calls come from several threads.
        transport = SupervisorTransport(serverurl=f"unix://{self.socket}")
        proxy = ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except Fault as fault:
            if fault.faultCode == tolerate:
                return None
            raise SupervisorError(f"{method} {' '.join(map(str, arguments))}: {fault.faultString}") from fault
        except ProtocolError as error:
            raise SupervisorError(f"{method}: {error.errmsg}") from error
        finally:
            transport.close()


def _socket(run: Path) -> Path:
    beside = run / "supervisor.sock"
    if len(os.fsencode(beside)) <= _SOCKET_BYTES:
        return beside
    name = hashlib.sha256(os.fsencode(run)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"ecommerce-{name}.sock"


def _info(row: dict[str, Any]) -> Info:
    running = bool(row["pid"])
    return Info(
        name=row["name"],
        state=State(row["state"]),
        pid=row["pid"],
        uptime_s=max(0, row["now"] - row["start"]) if running else 0,
        description=row["description"],
    )


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
