"""Processes of an earlier run whose supervisor was killed: unkept, they hold ports and data."""

import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from deploy.processes.process import Process

MARK = "ECOMMERCE_PROCESS"
_KILL_SECONDS = 5


def leftovers(data_dir: Path) -> dict[str, psutil.Process]:
    """Return the running processes of this data directory by name, each the head of its own tree."""
    found: dict[int, tuple[str, psutil.Process]] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            environment = process.environ()
            if environment.get("ECOMMERCE_DATA_DIR") == str(data_dir.absolute()) and MARK in environment:
                found[process.pid] = (environment[MARK], process)
    heads = {}
    for name, process in found.values():
        with suppress(psutil.Error):
            if process.ppid() not in found:
                heads[name] = process
    return heads


def stop(data_dir: Path, table: Iterable[Process]) -> list[str]:
    """Stop what an earlier run left, each with its own signal, and return the names."""
    left = leftovers(data_dir)
    if not left:
        return []
    known = {process.name: process for process in table}
    for name, process in left.items():
        wanted = known[name].stop_signal if name in known else "TERM"
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.Signals[f"SIG{wanted}"])
    patience = max((known[name].stop_seconds for name in left if name in known), default=_KILL_SECONDS)
    _, alive = psutil.wait_procs(left.values(), timeout=patience)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=_KILL_SECONDS)
    return sorted(left)
