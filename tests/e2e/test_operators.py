"""What the operator's commands say of a platform in trouble, and what they never say."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.processes.status import Row, is_healthy
from deploy.processes.status import status as read_status
from deploy.processes.supervisor import Supervisor
from tests.e2e.conftest import ECOMMERCE, Platform
from tests.eventually import eventually
from topics.credentials import ADMIN_FILE, FILE


def say(platform: Platform, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ECOMMERCE), *arguments],
        env={**platform.environment, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def status(platform: Platform) -> tuple[int, dict[str, dict[str, Any]]]:
    told = say(platform, "status", "--json")
    rows = json.loads(told.stdout.splitlines()[-1])["processes"]
    return told.returncode, {row["name"]: row for row in rows}


def all_well(platform: Platform) -> dict[str, Row]:
    """Wait until all of it is well, without a new Python for every look."""
    found = eventually(lambda: read_status(platform.settings), is_healthy, seconds=120)
    return {row.name: row for row in found}


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("name", ["sink", "gateway"])
def test_status_sees_a_process_that_is_there_and_does_nothing(platform: Platform, name: str) -> None:
    with suspended(all_well(platform)[name].pid):
        code, found = status(platform)
        assert (code, found[name]["healthy"]) == (1, False)
        assert "SIGSTOP" in found[name]["detail"]


def test_status_sees_that_a_sink_was_stopped(platform: Platform) -> None:
    all_well(platform)
    supervisor = Supervisor(platform.settings.data_dir)
    supervisor.stop("sink")
    try:
        code, found = status(platform)
        assert (code, found["sink"]["state"], found["sink"]["healthy"]) == (1, "stopped", False)
        assert "ecommerce up" in found["sink"]["detail"]
    finally:
        supervisor.start("sink")
    all_well(platform)


def secrets_of(directory: Path) -> list[str]:
    found: list[str] = []
    for name in (FILE, ADMIN_FILE):
        for value in json.loads((directory / name).read_text()).values():
            found += value.values() if isinstance(value, dict) else [value]
    return found


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("status", "--json"),
        ("up",),
        ("doctor",),
        ("lag",),
        ("topics", "verify"),
        ("topics", "create"),
        ("migrate",),
        ("dlq", "list"),
        ("views", "verify", "redis"),
        ("staff", "nobody@example.com"),
    ],
)
def test_no_command_prints_a_password(platform: Platform, arguments: tuple[str, ...]) -> None:
    told = say(platform, *arguments)
    for secret in secrets_of(platform.settings.data_dir):
        assert secret not in told.stdout + told.stderr


@pytest.mark.parametrize(
    "arguments", [("doctor",), ("migrate",), ("views", "verify", "orders"), ("staff", "nobody@example.com")]
)
def test_no_command_prints_the_password_of_a_server_that_is_away(
    platform: Platform, arguments: tuple[str, ...]
) -> None:
    told = say(
        platform,
        *arguments,
        ECOMMERCE_POSTGRES="postgresql://user:s3cr3t@127.0.0.1:1/shop",
        ECOMMERCE_REDIS="redis://user:s3cr3t@127.0.0.1:1/0",
    )
    assert told.returncode != 0
    assert "error:" in told.stderr
    assert "s3cr3t" not in told.stdout + told.stderr


def test_no_log_holds_a_password(platform: Platform) -> None:
    logs = list((platform.settings.data_dir / "logs").glob("*.log*"))
    assert len(logs) > 5
    for log in logs:
        text = log.read_text(errors="replace")
        for secret in secrets_of(platform.settings.data_dir):
            assert secret not in text, log.name
