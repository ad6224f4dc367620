"""A whole platform for a benchmark: broker, worker, sinks, PostgreSQL, Redis, gateway, provider and API."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import psutil
from rich.console import Console

from deploy.processes import lifecycle
from deploy.processes.status import status
from deploy.processes.table import variables
from tests.bench.step import InvariantError
from tests.stack import free_port_base
from topics.settings import Settings

PATIENCE_S = 180
_PROGRAM = (sys.executable, "-c", "from deploy.cli import main; main()")


@asynccontextmanager
async def platform(
    workers: int = 1, *, partitions: int | None = None, elasticsearch: str | None = None
) -> AsyncIterator[Settings]:
    """Start a platform in a directory and on ports of its own, and delete it in the end.

    Topics have `partitions`, as configured where none are given.
    """
    root = _directory()
    settings = Settings(
        data_dir=root / "data",
        port_base=free_port_base(),
        kafka=None,
        postgres=None,
        redis=None,
        payment_provider=None,
        elasticsearch=elasticsearch,
        partitions=partitions or Settings().partitions,
    )
    console = Console(stderr=True, quiet=True)
    # The load of a whole town comes from this one address.
    unlimited = {"ECOMMERCE_API_UNLIMITED_CLIENTS": '["127.0.0.0/8", "::1/128"]'}
    with patch.dict(os.environ, unlimited):
        try:
            await asyncio.to_thread(lifecycle.up, settings, workers=workers, console=console)
            yield settings
        finally:
            await asyncio.to_thread(lifecycle.reset, settings, console=console)
            shutil.rmtree(root)


def _directory() -> Path:
    root = Path(tempfile.mkdtemp(prefix="ecommerce-bench-"))
    # Servers that run as others than root have to get through.
    root.chmod(0o755)
    return root


async def doctor(settings: Settings, wait_s: int = PATIENCE_S) -> dict[str, int]:
    """Check every invariant with `ecommerce doctor`, and return what it looked at, by check.

    Raises InvariantError with the first violations.
    """
    process = await asyncio.create_subprocess_exec(
        *_PROGRAM,
        *("doctor", "--json", "--wait", str(wait_s)),
        env={**os.environ, **variables(settings)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    lines = out.decode().strip().splitlines()
    if not lines:
        raise InvariantError(f"the doctor says nothing: {errors.decode()[-500:]}")
    found = json.loads(lines[-1])
    if found["violations"] or process.returncode:
        first = "; ".join(f"{one['check']} {one['id']}: {one['detail']}" for one in found["violations"][:5])
        raise InvariantError(f"{len(found['violations'])} violations: {first}")
    return {one["name"]: one["looked_at"] for one in found["checks"]}


def cpu_seconds(settings: Settings) -> dict[str, float]:
    """Return the CPU time that each process of the platform has taken, its children's included."""
    return {row.title: cpu_of(row.pid) for row in status(settings) if row.pid}


def cpu_of(pid: int) -> float:
    """Return the CPU time (s) of a process and its children; one that ends meanwhile counts no more."""
    process = psutil.Process(pid)
    used = 0.0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            used += times.user + times.system
    return used
