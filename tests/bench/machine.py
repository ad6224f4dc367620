"""The machine that was measured on, in one line: figures mean nothing without it."""

import os
import platform
import timeit
from pathlib import Path

import psutil


def description() -> str:
    """Return processor, cores, memory, system and Python."""
    memory = round(psutil.virtual_memory().total / 2**30)
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def load() -> float:
    """Return the machine's load average over the last minute."""
    return os.getloadavg()[0]


def pace() -> float:
    """Return the milliseconds that a fixed piece of Python takes here and now, the least of fifteen.

    A virtual machine's speed changes by the minute, and an interpreter's by how it was built: it goes with
    every absolute figure.
    """
    work = "for n in range(50_000): counts[n % 100] = counts.get(n % 100, 0) + len(str(n))"
    return 1_000 * min(timeit.repeat(work, "counts = {}", number=1, repeat=15))


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip().replace(",", " ")
    return platform.processor() or platform.machine()
