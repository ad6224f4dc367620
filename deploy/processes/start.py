"""Starting one step: prepare, start, wait until it serves, and show what happens."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.errors import CommandError
from deploy.processes.display import Display
from deploy.processes.process import External, NotReadyError, Process, RefusedError, Report, Step, Task
from deploy.processes.supervisor import State, Supervisor

_POLL_SECONDS = 0.1
# A server may need a second try after a crash; one that keeps falling over is not waited for to the end.
_FALLING_SECONDS = 8.0
_LOG_LINES = 20


class StepFailedError(CommandError):
    """A step of a start failed; the message says why and ends with the tail of its log."""


class _GivenUp(Exception):  # noqa: N818 -- not an error: another step failed, or Ctrl-C
    """Ends a step that is still preparing when the start is over."""


class Starter:
    """Starts the steps of one run."""

    def __init__(self, supervisor: Supervisor, display: Display, variables: Mapping[str, str]) -> None:
        self._supervisor = supervisor
        self._display = display
        self._variables = variables

    def start(self, step: Step, cancelled: threading.Event) -> None:
        """Bring one step up; raises StepFailedError where it fails, gives up where `cancelled` is set."""
        log = self._supervisor.logs / f"{step.name}.log"
        offset = log.stat().st_size if log.exists() else 0

        def report(detail: str, done: int = 0, total: int = 0) -> None:
            if cancelled.is_set():
                raise _GivenUp
            self._display.work(step.name, detail, done, total)

        try:
            match step:
                case Process():
                    detail = self._process(step, report, cancelled)
                case External():
                    detail = self._external(step, report, cancelled)
                case Task():
                    detail = self._task(step, report, log)
        except _GivenUp:
            return
        except StepFailedError as error:
            self._display.fail(step.name, "failed")
            raise StepFailedError(f"{step.title} failed: {error}{tail(log, offset)}") from error
        except Exception as error:
            self._display.fail(step.name, "failed")
            raise StepFailedError(f"{step.title} failed: {error}") from error
        if not cancelled.is_set():
            self._display.finish(step.name, detail)

    def _process(self, process: Process, report: Report, cancelled: threading.Event) -> str:
        already = self._supervisor.info(process.name).state is State.RUNNING
        report("asking" if already else "preparing")
        if not already:
            process.prepare(report)
            report("starting")
            self._supervisor.start(process.name)
        falling_since: float | None = None

        def serves() -> None:
            nonlocal falling_since
            info = self._supervisor.info(process.name)
            if info.state in {State.BACKOFF, State.EXITED, State.FATAL}:
                falling_since = falling_since or time.monotonic()
                if time.monotonic() - falling_since > _FALLING_SECONDS or info.state is State.FATAL:
                    self._supervisor.stop(process.name)
                    raise StepFailedError(f"it keeps ending: {info.description}")
            if info.state is not State.RUNNING:
                raise NotReadyError(info.state.name.lower())
            if process.ready:
                process.ready()

        _wait(serves, process.start_seconds, cancelled)
        return f"{process.address or 'running'}{' (was running)' if already else ''}"

    def _external(self, server: External, report: Report, cancelled: threading.Event) -> str:
        report(f"asking {server.address}")
        try:
            _wait(server.ready, server.start_seconds, cancelled)
        except StepFailedError as error:
            raise StepFailedError(f"{error} ({server.setting} says that it runs elsewhere)") from error
        return f"{server.address} (external)"

    def _task(self, task: Task, report: Report, log: Path) -> str:
        report("running")
        with log.open("wb") as handle:
            ended = subprocess.run(  # noqa: S603 -- the command is ours
                task.command,
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._variables},
                timeout=task.start_seconds,
                check=False,
                umask=0o077,
            )
        if ended.returncode:
            raise StepFailedError(f"it ended with status {ended.returncode}")
        lines = log.read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "done")


def tail(log: Path, offset: int) -> str:
    """Return the last lines that a log got after `offset`, under a heading; empty where it got none."""
    if not log.exists():
        return ""
    with log.open("rb") as handle:
        # A log that is shorter than it was has been rotated or written anew.
        handle.seek(offset if offset < log.stat().st_size else 0)
        lines = handle.read().decode(errors="replace").splitlines()[-_LOG_LINES:]
    return "".join([f"\n\nthe end of {log}:\n", *(f"  {line}\n" for line in lines)]) if lines else ""


def _wait(serves: Callable[[], None], seconds: float, cancelled: threading.Event) -> None:
    deadline = time.monotonic() + seconds
    while not cancelled.is_set():
        try:
            serves()
        except RefusedError as error:
            raise StepFailedError(str(error)) from error
        except NotReadyError as error:
            if time.monotonic() > deadline:
                raise StepFailedError(f"not ready within {seconds:.0f} s: {error}") from error
            cancelled.wait(_POLL_SECONDS)
        else:
            return
