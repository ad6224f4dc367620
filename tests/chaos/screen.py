"""The run as it goes: a live picture on a terminal, a line per fault elsewhere."""

import asyncio
import time
from contextlib import suppress

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tests.chaos.injection import Injected
from tests.chaos.run import Progress

_REFRESH_S = 0.5
_LAST = 14
_WIDTH = 60


async def show(progress: Progress, console: Console) -> None:
    """Show the progress until cancelled."""
    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live, suppress(asyncio.CancelledError):
            while True:
                live.update(picture(progress), refresh=True)
                await asyncio.sleep(_REFRESH_S)
        return
    told, phase = 0, ""
    with suppress(asyncio.CancelledError):
        while True:
            for one in progress.injected[told:]:
                console.print(line(one), soft_wrap=True)
            told = len(progress.injected)
            if progress.phase != phase:
                phase = progress.phase
                console.print(f"... {phase}", markup=False)
            await asyncio.sleep(_REFRESH_S)


def picture(progress: Progress) -> Group:
    """Return the present state."""
    elapsed = time.monotonic() - progress.began if progress.began else 0.0
    journal = progress.journal
    head = Text.assemble(
        (f"{progress.phase}", "bold"),
        f"  seed {progress.plan.seed}  {elapsed:,.0f} of {progress.plan.seconds:,.0f} s",
        f"  {len(progress.injected)} faults  ",
        (progress.current, "yellow"),
    )
    load = Text(
        f"{len(journal.commands):,} commands accepted, {len(journal.checkouts):,} checkouts, "
        f"{progress.shoppers()} shoppers inside; answers: "
        + ", ".join(f"{what} {count:,}" for what, count in sorted(journal.answers.items()))
    )
    canaries = Text("canaries served: ") + Text(
        ", ".join(
            f"{canary} {progress.timeline.count(canary):,} (missed {progress.timeline.failed[canary]:,})"
            for canary in progress.timeline.canaries
        )
    )
    table = Table("at s", "fault", "on", "longest s without service", "", box=None, padding=(0, 2, 0, 0))
    for one in progress.injected[-_LAST:]:
        bar = "█" * min(_WIDTH, round(one.longest))
        style = "green" if one.in_time else "red"
        table.add_row(
            f"{one.at:.0f}", one.name, ", ".join(one.victims), f"{one.longest:.1f}", Text(bar, style)
        )
    return Group(head, load, canaries, table)


def line(one: Injected) -> Text:
    """Return a fault on one line."""
    gaps = ", ".join(f"{canary} {seconds:.1f}" for canary, seconds in one.gaps.items())
    return Text(
        f"{one.at:7.1f} s  {one.name} ({', '.join(one.victims)}): {gaps}"
        + ("" if one.in_time else f"  LATE, stated {one.stated_s:.0f} {' '.join(one.waiting)}"),
        "" if one.in_time else "red",
    )
