"""Starting, supervising, stopping and wiping the servers, as `ecommerce up` and its siblings do."""

import io
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis
from rich.console import Console

from deploy.errors import CommandError
from deploy.processes import lifecycle, table
from deploy.processes.process import External, Process, Step
from deploy.processes.status import Row, is_healthy, present_workers, status
from deploy.processes.supervisor import State, Supervisor
from tests.stack import free_port_base
from topics.settings import PortOffset, Settings

SECONDS = 60.0


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}"
        time.sleep(0.1)


def quiet() -> Console:
    return Console(file=io.StringIO())


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(data_dir=tmp_path / "data", port_base=free_port_base())
    yield settings
    lifecycle.down(settings, console=quiet())


def row(settings: Settings, name: str) -> Row:
    return next(each for each in status(settings) if each.name == name)


def test_up_is_idempotent_and_down_loses_nothing(own: Settings) -> None:
    first = lifecycle.up(own, servers_only=True, console=quiet())
    assert set(first) == {"kafka", "postgres", "redis"}
    pids = {name: row(own, name).pid for name in first}
    assert is_healthy(status(own))

    lifecycle.up(own, servers_only=True, console=quiet())
    assert {name: row(own, name).pid for name in first} == pids

    with psycopg.connect(own.postgres_dsn) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    lifecycle.down(own, console=quiet())
    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    assert [each.state for each in status(own) if each.name in pids] == ["stopped"] * 3

    lifecycle.up(own, servers_only=True, console=quiet())
    with psycopg.connect(own.postgres_dsn) as connection:
        connection.execute("SELECT id FROM kept")


def test_a_killed_server_comes_back_with_its_data(own: Settings) -> None:
    lifecycle.up(own, servers_only=True, console=quiet())
    with psycopg.connect(own.postgres_dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS id")
    killed = {name: row(own, name).pid for name in ("kafka", "postgres", "redis")}

    for pid in killed.values():
        os.kill(pid, signal.SIGKILL)

    def back() -> bool:
        rows = [row(own, name) for name in killed]
        return all(each.healthy and each.pid != killed[each.name] for each in rows)

    until(back, "every server is restarted and serves")
    with psycopg.connect(own.postgres_dsn) as connection:
        assert connection.execute("SELECT id FROM kept").fetchall() == [(7,)]


def test_servers_whose_supervisor_was_killed_are_taken_over(own: Settings) -> None:
    lifecycle.up(own, servers_only=True, console=quiet())
    before = row(own, "kafka").pid
    supervisor = Supervisor(own.data_dir)
    os.kill(int((supervisor.run / "supervisor.pid").read_text()), signal.SIGKILL)
    until(lambda: not supervisor.is_running, "the supervisor is gone")

    lifecycle.up(own, servers_only=True, console=quiet())

    assert not psutil.pid_exists(before)
    assert is_healthy(status(own))


def test_a_taken_port_is_refused_before_anything_starts(own: Settings) -> None:
    port = own.port(PortOffset.POSTGRES)
    with socket.socket() as other:
        other.bind((own.host, port))
        other.listen()
        with pytest.raises(CommandError) as refused:
            lifecycle.up(own, servers_only=True, console=quiet())
    message = str(refused.value)
    assert f"port {port} (PostgreSQL 18) is taken by" in message
    assert f"(process {os.getpid()})" in message
    assert f"ECOMMERCE_PORT_BASE (now {own.port_base})" in message
    assert not Supervisor(own.data_dir).is_running


def test_an_external_server_is_checked_and_not_started(own: Settings, redis_url: str) -> None:
    outside = own.model_copy(update={"redis": redis_url})
    lifecycle.up(outside, servers_only=True, console=quiet())
    assert row(outside, "redis").state == "external"
    assert row(outside, "redis").healthy
    assert "redis" not in Supervisor(outside.data_dir).infos()
    # The stack's server still runs after ours are down.
    lifecycle.down(outside, console=quiet())
    with Redis.from_url(redis_url) as connection:
        assert connection.ping()


def test_an_external_server_that_is_not_there_is_named(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = own.model_copy(update={"redis": f"redis://127.0.0.1:{own.port(PortOffset.REDIS)}/0"})
    step = table.platform(outside)["redis"]
    assert isinstance(step, External)
    monkeypatch.setattr(lifecycle, "platform", lambda *_: {"redis": replace(step, start_seconds=0.3)})
    with pytest.raises(CommandError, match=r"(?s)Redis failed.*ECOMMERCE_REDIS"):
        lifecycle.up(outside, servers_only=True, console=quiet())


def test_a_step_that_fails_shows_the_end_of_its_log(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_settings: Settings, _workers: int = 1) -> dict[str, Step]:
        command = ("/bin/sh", "-c", "echo cannot read [/etc/nothing]; exit 3")
        return {"broken": Process(name="broken", title="Broken", command=command)}

    monkeypatch.setattr(lifecycle, "platform", broken)
    with pytest.raises(CommandError) as failed:
        lifecycle.up(own, console=quiet())
    assert "Broken failed" in str(failed.value)
    assert "cannot read [/etc/nothing]" in str(failed.value)
    assert Supervisor(own.data_dir).info("broken").state is State.STOPPED


def test_fewer_workers_are_stopped_and_more_are_started(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleepers(_settings: Settings, workers: int = 1) -> dict[str, Step]:
        names = [f"worker-{index}" for index in range(workers)]
        return {name: Process(name=name, title=name, command=("/bin/sleep", "600")) for name in names}

    monkeypatch.setattr(lifecycle, "platform", sleepers)
    lifecycle.up(own, workers=3, console=quiet())
    supervisor = Supervisor(own.data_dir)
    kept = supervisor.info("worker-0").pid
    lifecycle.up(own, workers=2, console=quiet())
    assert sorted(supervisor.infos()) == ["worker-0", "worker-1"]
    assert supervisor.info("worker-0").pid == kept
    lifecycle.up(own, console=quiet())
    assert present_workers(supervisor) == 2


def test_reset_wipes_and_refuses_a_directory_of_others(own: Settings, tmp_path: Path) -> None:
    lifecycle.up(own, servers_only=True, console=quiet())
    lifecycle.reset(own, console=quiet())
    assert [path.name for path in own.data_dir.iterdir()] == [".ecommerce-data"]

    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")
    with pytest.raises(CommandError, match="not the platform's"):
        lifecycle.reset(own.model_copy(update={"data_dir": foreign}), console=quiet())
    assert (foreign / "thesis.txt").exists()


def test_children_get_the_settings_of_their_parent(own: Settings) -> None:
    variables = table.variables(own.model_copy(update={"partitions": 7}))
    assert variables["ECOMMERCE_PARTITIONS"] == "7"
    assert variables["ECOMMERCE_PORT_BASE"] == str(own.port_base)
    assert Path(variables["ECOMMERCE_DATA_DIR"]).is_absolute()
