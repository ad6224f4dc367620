"""What the platform runs, as data: programs kept alive, servers that live elsewhere, one-shot tasks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class NotReadyError(Exception):
    """A server does not serve yet; the message says what it lacks."""


class RefusedError(NotReadyError):
    """A server serves, and not us: waiting does not help. The message says what would."""


class Report(Protocol):
    """Takes the progress of a step: what it does now and, for downloads, bytes done of bytes in total."""

    def __call__(self, detail: str, done: int = 0, total: int = 0) -> None:
        """Show `detail`; `total` is 0 where the size of the work is unknown."""


def silent(detail: str, done: int = 0, total: int = 0) -> None:
    """Take a report and show nothing."""


def nothing_to_prepare(report: Report) -> None:
    """Prepare a process that needs no preparation."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """A program that the supervisor keeps alive."""

    name: str
    title: str
    command: tuple[str, ...]
    ready: Callable[[], None] | None = None
    """Returns when the process serves, else raises NotReadyError; None where running is all one can see."""
    prepare: Callable[[Report], None] = nothing_to_prepare
    """Downloads, formats and writes what the command needs; does nothing where that is done."""
    address: str = ""
    ports: tuple[int, ...] = ()
    host: str = "127.0.0.1"
    after: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    niceness: int = 0
    """How far it gives way to the others on a busy machine: 0 to 19, as of `nice`."""
    stop_signal: str = "TERM"
    stop_seconds: int = 20
    start_seconds: float = 120.0


@dataclass(frozen=True, kw_only=True)
class External:
    """A server that settings place elsewhere: it is checked, never started or stopped."""

    name: str
    title: str
    address: str
    ready: Callable[[], None]
    setting: str
    after: tuple[str, ...] = ()
    start_seconds: float = 10.0


@dataclass(frozen=True, kw_only=True)
class Task:
    """A command that runs once at every start, to its end, before what depends on it starts."""

    name: str
    title: str
    command: tuple[str, ...]
    after: tuple[str, ...] = ()
    start_seconds: float = 120.0


Step = Process | External | Task
