"""The supervisor, a real one: what is stopped stays down."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from supervisor.xmlrpc import UnixStreamHTTPConnection

from deploy.processes.process import Process
from deploy.processes.supervisor import State, Supervisor
from tests.eventually import eventually

SLEEPER = Process(
    name="sleeper",
    title="a sleeper",
    command=(sys.executable, "-c", "import time; time.sleep(600)"),
    stop_seconds=1,
)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    running = Supervisor(tmp_path)
    running.apply([SLEEPER])
    running.start("sleeper")
    yield running
    running.shutdown()


def test_one_that_ends_while_it_is_stopped_stays_down(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor says "not running" of what it is about to start again."""
    pid = eventually(lambda: supervisor.info("sleeper"), lambda info: info.state is State.RUNNING).pid
    connect = UnixStreamHTTPConnection.connect

    def connect_then_kill(connection: UnixStreamHTTPConnection) -> None:
        connect(connection)
        if psutil.pid_exists(pid):
            psutil.Process(pid).send_signal(signal.SIGKILL)
            # The supervisor knows its end, and reads our request next.
            eventually(lambda: not psutil.pid_exists(pid))

    monkeypatch.setattr(UnixStreamHTTPConnection, "connect", connect_then_kill)
    supervisor.stop("sleeper")
    assert supervisor.info("sleeper").state is State.STOPPED
