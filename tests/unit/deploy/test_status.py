import os

from deploy.processes.status import Row, is_healthy, memory


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
