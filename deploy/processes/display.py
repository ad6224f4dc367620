"""How a start and a stop look in the terminal: one line per step, alive while it works."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

_MEGABYTE = 1_000_000
_TITLE_WIDTH = 18
_DETAIL_WIDTH = 48
_REFRESH_PER_SECOND = 12


class Mark(StrEnum):
    """State of a line."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    LEFT = "left"


@dataclass
class Line:
    """One step: its title, what it does now, and its time."""

    title: str
    mark: Mark = Mark.WAITING
    detail: str = ""
    done: int = 0
    total: int = 0
    started: float = 0.0
    seconds: float = 0.0


class Display:
    """Shows steps; alive on a terminal, one printed line per finished step elsewhere."""

    def __init__(self, console: Console, names: Iterable[tuple[str, str]]) -> None:
        self._console = console
        self._lines = {name: Line(title) for name, title in names}
        self._spinner = Spinner("dots", style="cyan")
        self._lock = threading.Lock()
        self._live = (
            Live(self, console=console, refresh_per_second=_REFRESH_PER_SECOND)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Show the last state and leave it on the terminal."""
        for line in self._lines.values():
            if line.mark is Mark.WORKING:
                line.mark = Mark.LEFT
        if self._live:
            self._live.stop()

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds of each finished step."""
        return {name: line.seconds for name, line in self._lines.items() if line.mark is Mark.DONE}

    def work(self, name: str, detail: str, done: int = 0, total: int = 0) -> None:
        """Show what a step does now, and how much of it is done where that is known."""
        line = self._lines[name]
        with self._lock:
            changed = line.detail != detail
            if line.mark is Mark.WAITING:
                line.mark, line.started = Mark.WORKING, time.monotonic()
            line.detail, line.done, line.total = detail, done, total
        if self._live is None and changed and total:
            self._console.print(f"  … {line.title}: {detail} {_megabytes(total)}", highlight=False)

    def finish(self, name: str, detail: str) -> None:
        """Show that a step is done."""
        self._end(name, Mark.DONE, detail)

    def fail(self, name: str, detail: str) -> None:
        """Show that a step failed."""
        self._end(name, Mark.FAILED, detail)

    def __rich__(self) -> Table:
        """Render the present state."""
        table = Table.grid(padding=(0, 1))
        table.add_column(width=2, justify="right")
        table.add_column(width=_TITLE_WIDTH, no_wrap=True)
        table.add_column(width=_DETAIL_WIDTH, no_wrap=True, overflow="ellipsis")
        table.add_column(width=7, justify="right", no_wrap=True)
        for line in self._lines.values():
            table.add_row(*self._cells(line))
        return table

    def _cells(self, line: Line) -> tuple[Spinner | Text | Table | str, ...]:
        if line.mark in {Mark.WAITING, Mark.LEFT}:
            return (
                Text("·", style="dim"),
                Text(line.title, style="dim"),
                Text("given up" if line.mark is Mark.LEFT else "", style="dim"),
                "",
            )
        if line.mark is Mark.WORKING:
            seconds = time.monotonic() - line.started
            return (self._spinner, Text(line.title), _progress(line), Text(f"{seconds:.1f} s", style="cyan"))
        sign = Text("✓", style="green") if line.mark is Mark.DONE else Text("✗", style="bold red")
        style = "dim" if line.mark is Mark.DONE else "red"
        return (sign, Text(line.title), Text(line.detail, style=style), Text(f"{line.seconds:.1f} s"))

    def _end(self, name: str, mark: Mark, detail: str) -> None:
        line = self._lines[name]
        with self._lock:
            line.seconds = time.monotonic() - (line.started or time.monotonic())
            line.mark, line.detail = mark, detail
        if self._live is None:
            sign = "✓" if mark is Mark.DONE else "✗"
            self._console.print(
                f" {sign} {line.title:<{_TITLE_WIDTH}} {detail} {line.seconds:.1f} s",
                highlight=False,
                markup=False,
            )


def _progress(line: Line) -> Text | Table:
    if not line.total:
        return Text(line.detail, style="cyan")
    grid = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=line.total, completed=line.done, width=16)
    grid.add_row(
        Text(line.detail, style="cyan"), bar, Text(f"{_megabytes(line.done)} of {_megabytes(line.total)}")
    )
    return grid


def _megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:.1f} MB"
