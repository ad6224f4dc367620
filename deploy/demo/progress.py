"""Shows how a replay goes: a live bar on a terminal, a line every few seconds elsewhere."""

import time
from collections import deque
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_WINDOW_S = 15.0
_LINE_S = 5.0


class Meter:
    """Rates over the last seconds: invoices and events per second."""

    def __init__(self, window_s: float = _WINDOW_S) -> None:
        self._window_s = window_s
        self._seen: deque[tuple[float, int, int]] = deque()

    def add(self, now: float, invoices: int, events: int) -> None:
        """Take the counts (so far) at time `now` (s)."""
        self._seen.append((now, invoices, events))
        while len(self._seen) > 2 and now - self._seen[0][0] > self._window_s:  # noqa: PLR2004 - a rate needs two
            self._seen.popleft()

    def rates(self) -> tuple[float, float]:
        """Return invoices/s and events/s; 0 before there are two looks."""
        if len(self._seen) < 2:  # noqa: PLR2004 - a rate needs two
            return 0.0, 0.0
        (began, invoices, events), (ended, more_invoices, more_events) = self._seen[0], self._seen[-1]
        seconds = max(ended - began, 1e-9)
        return (more_invoices - invoices) / seconds, (more_events - events) / seconds


class ReplayDisplay:
    """A progress display of `total` invoices; use it as a context manager."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._meter = Meter()
        self._last_line = 0.0
        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rates]}"),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            expand=True,
        )
        self._task = self._bar.add_task("replay", total=total, rates="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, done: int, events: int, lag: int, step: str) -> None:
        """Show `done` invoices (ended), `events` written since the start, `lag` in records, and the step."""
        now = time.monotonic()
        self._meter.add(now, done, events)
        invoices_s, events_s = self._meter.rates()
        rates = f"{invoices_s:,.0f} invoices/s, {events_s:,.0f} events/s, lag {lag:,}"
        self._bar.update(self._task, completed=done, description=step, rates=rates)
        if not self._console.is_terminal and now - self._last_line >= _LINE_S:
            self._last_line = now
            left = f"{(self._total - done) / invoices_s:,.0f} s left" if invoices_s else "time left unknown"
            self._console.print(
                f"  {step}: {done:,}/{self._total:,} invoices, {rates}, {left}",
                highlight=False,
                soft_wrap=True,
            )
