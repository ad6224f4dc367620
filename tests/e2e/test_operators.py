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


def is_well(found: tuple[int, dict[str, dict[str, Any]]]) -> bool:
    return found[0] == 0 and all(row["healthy"] for row in found[1].values())


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("name", ["sink", "gateway", "redis"])
def test_status_sees_a_process_that_is_there_and_does_nothing(platform: Platform, name: str) -> None:
    _, rows = eventually(lambda: status(platform), is_well, seconds=120)
    with suspended(rows[name]["pid"]):
        code, found = status(platform)
        assert (code, found[name]["healthy"]) == (1, False)
        assert "SIGSTOP" in found[name]["detail"]
    eventually(lambda: status(platform), is_well, seconds=120)


def test_status_sees_that_a_sink_was_stopped(platform: Platform) -> None:
    supervisor = Supervisor(platform.settings.data_dir)
    supervisor.stop("sink")
    try:
        code, found = status(platform)
        assert (code, found["sink"]["state"], found["sink"]["healthy"]) == (1, "stopped", False)
        assert "ecommerce up" in found["sink"]["detail"]
    finally:
        supervisor.start("sink")
    eventually(lambda: status(platform), is_well, seconds=120)


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
@pytest.mark.parametrize("away", [False, True])
def test_no_command_prints_a_password(platform: Platform, arguments: tuple[str, ...], away: bool) -> None:  # noqa: FBT001
    secrets = secrets_of(platform.settings.data_dir)
    gone: dict[str, str] = {}
    if away:
        if arguments[0] in ("up", "status"):
            pytest.skip("they look at the servers that they started")
        secrets = ["s3cr3t/of@nobody", "s3cr3t"]
        gone = {
            "ECOMMERCE_POSTGRES": "postgresql://user:s3cr3t@127.0.0.1:1/shop",
            "ECOMMERCE_REDIS": "redis://user:s3cr3t@127.0.0.1:1/0",
        }
    told = say(platform, *arguments, **gone)
    for secret in secrets:
        assert secret not in told.stdout + told.stderr


def test_no_log_holds_a_password(platform: Platform) -> None:
    logs = list((platform.settings.data_dir / "logs").glob("*.log*"))
    assert len(logs) > 5
    for log in logs:
        text = log.read_text(errors="replace")
        for secret in secrets_of(platform.settings.data_dir):
            assert secret not in text, log.name
