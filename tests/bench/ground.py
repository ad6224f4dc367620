"""Where a benchmark runs: servers of its own on free ports, and the contenders as processes of their own."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.bench.broker import Watch
from tests.stack import Stack
from topics.settings import Settings

CHECKOUT = Path(__file__).parents[2]
SILENCE_S = 90.0
LOOK_S = 0.05
STOP_S = 25.0


class StalledError(Exception):
    """A contender made nothing of its input for a long time; the text ends with its log."""


@contextmanager
def ground(partitions: int = 4) -> Iterator[Stack]:
    """Give a stack of its own, and delete it afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="ecommerce-bench-"))
    # PostgreSQL runs as another user where this one is root.
    directory.chmod(0o755)
    stack = Stack(directory)
    stack.settings = stack.settings.model_copy(update={"partitions": partitions})
    try:
        yield stack
    finally:
        stack.close()
        shutil.rmtree(directory, ignore_errors=True)


@dataclass
class Contender:
    """One process under measurement, and its children."""

    settings: Settings
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, where it does not run."""
        if _runs(self):
            return
        with self.log.open("ab") as handle:
            self.process = subprocess.Popen(
                self.command,
                stdout=handle,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=CHECKOUT,
                start_new_session=True,
                env={
                    **os.environ,
                    "ECOMMERCE_PORT_BASE": str(self.settings.port_base),
                    "ECOMMERCE_DATA_DIR": str(self.settings.data_dir),
                    "ECOMMERCE_CREDENTIALS": str(self.settings.credentials_file),
                    "ECOMMERCE_PARTITIONS": str(self.settings.partitions),
                    **self.environment,
                },
            )

    def stop(self) -> None:
        """Stop it as a supervisor does; kill it where that takes too long."""
        if self.process is None or self.process.poll() is not None:
            return
        for each in self._processes():
            each.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def cpu(self) -> float:
        """Return the seconds of processor time that it has used."""
        assert self.process is not None
        times = [each.cpu_times() for each in self._processes()]
        return float(sum(time.user + time.system for time in times))

    def _processes(self) -> list[psutil.Process]:
        """Return the process, or what it runs: a profiler ends with what it watches."""
        assert self.process is not None
        own = psutil.Process(self.process.pid)
        return own.children() or [own]

    def alive(self) -> None:
        """Raise StalledError where it has ended."""
        if self.process is not None and self.process.poll() is not None:
            raise StalledError(f"{self.command[-1]}: ended with {self.process.returncode}\n{self.tail()}")

    def tail(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])


def python(stack: Stack, name: str, *arguments: str) -> Contender:
    """Return a module of this environment as a contender."""
    log = stack.settings.data_dir / f"{name}.log"
    return Contender(stack.settings, (sys.executable, "-m", *arguments), log)


@dataclass(frozen=True)
class Drained:
    """How a full topic was worked off: processor seconds per output seen, over `seen` outputs."""

    cpu: float
    seen: int


async def drain(
    contenders: Sequence[Contender],
    watch: Watch,
    expected: int,
    repeated: Callable[[], int] = lambda: 0,
) -> Drained:
    """Start the contenders on what is in their topics; stop them when `expected` records have come out.

    `repeated` counts those among what came that were said before: a new owner of a partition says the last
    batch of the owner before again, which is no answer.

    Processor time is counted from the first output to the last, so without start and restoring.
    Raises StalledError.
    """
    began: tuple[float, int] | None = None
    last, last_at = 0, time.monotonic()
    wanted = expected
    for contender in contenders:
        contender.start()
    try:
        while True:
            come = await asyncio.to_thread(watch.come)
            used = sum(contender.cpu() for contender in contenders if _runs(contender))
            if come and began is None:
                began = used, come
            if come >= expected and (again := await asyncio.to_thread(repeated)) > come - wanted:
                expected = wanted + again
            elif come >= expected:
                assert began is not None
                seen = max(come - began[1], 1)
                return Drained((used - began[0]) / seen, seen)
            for contender in contenders:
                contender.alive()
            if come != last:
                last, last_at = come, time.monotonic()
            elif time.monotonic() - last_at > SILENCE_S:
                tails = "\n".join(contender.tail() for contender in contenders)
                raise StalledError(f"{come} of {expected} records came\n{tails}")
            await asyncio.sleep(LOOK_S)
    finally:
        for contender in contenders:
            await asyncio.to_thread(contender.stop)


def _runs(contender: Contender) -> bool:
    return contender.process is not None and contender.process.poll() is None
