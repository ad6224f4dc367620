import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

from deploy.processes.status import Row, is_healthy, memory, suspended
from deploy.processes.wanted import want, want_nothing, wanted
from tests.eventually import eventually


def row(state: str, *, healthy: bool) -> Row:
    return Row("x", "X", state, 0, 0, 0, "", healthy=healthy, detail="")


def test_nothing_started_is_not_healthy() -> None:
    assert not is_healthy([row("stopped", healthy=False), row("external", healthy=True)])


def test_what_was_never_started_does_not_count() -> None:
    assert is_healthy([row("running", healthy=True), row("stopped", healthy=False)])


def test_one_sick_process_makes_it_unhealthy() -> None:
    assert not is_healthy([row("running", healthy=True), row("backoff", healthy=False)])
    assert not is_healthy([row("running", healthy=True), row("external", healthy=False)])


def test_memory_of_this_process_is_seen() -> None:
    assert memory(os.getpid()) > 1_000_000
    assert memory(2**31 - 1) == 0


def test_what_was_started_and_does_not_run_makes_it_unhealthy() -> None:
    stopped = replace(row("stopped", healthy=False), wanted=True)
    assert not is_healthy([row("running", healthy=True), stopped])


def test_a_suspended_process_is_seen() -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        assert not suspended(child.pid)
        child.send_signal(signal.SIGSTOP)
        assert "SIGCONT" in eventually(lambda: suspended(child.pid))
    finally:
        child.kill()
        child.wait()


def test_what_should_run_is_remembered_until_nothing_should(tmp_path: Path) -> None:
    assert wanted(tmp_path) == frozenset()
    want(tmp_path, ["kafka"])
    want(tmp_path, ["kafka", "api"])
    assert wanted(tmp_path) == {"kafka", "api"}
    want_nothing(tmp_path)
    want_nothing(tmp_path)
    assert wanted(tmp_path) == frozenset()
