"""`ecommerce lag`: what consumers have yet to read."""

import time
from contextlib import suppress
from typing import Annotated

import typer
from rich.live import Live

from deploy.broker import broker
from deploy.demo.readers import readers
from deploy.lag import report
from deploy.output import JsonOption, console, notes, print_json
from topics.lag import lag as measure
from topics.settings import settings


def lag(
    group: Annotated[list[str] | None, typer.Option(help="Only this group; may be repeated.")] = None,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks of --watch.")] = 2.0,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again until Ctrl-C.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Show partitions without lag one by one.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show per group, topic and partition how many records, and how many seconds, a consumer is behind.

    Seconds are the age of the oldest record that the group has not committed. A group that stands at no
    position of its topic, as where the topic was deleted and made anew, is named, and the exit code is 1.
    """
    with broker(settings()):
        if watch and not as_json:
            _watch(group, interval, every=every)
            return
        partitions = measure(settings(), group, reads=readers(settings()))
    faults = [one for one in partitions if one.fault is not None]
    if as_json:
        print_json(report.figures(partitions))
    elif partitions:
        console().print(report.table(partitions, every=every))
    else:
        console().print("no consumer group has committed anything yet")
    for one in faults:
        notes().print(f"[red]fault[/red] {report.named(one)}", soft_wrap=True)
    if faults:
        raise typer.Exit(1)


def _watch(group: list[str] | None, interval: float, *, every: bool) -> None:
    """Show the table again and again; Ctrl-C is the way to end it."""
    reads = readers(settings())
    with suppress(KeyboardInterrupt), Live(console=console(), auto_refresh=False) as live:
        while True:
            partitions = measure(settings(), group, reads=reads)
            live.update(report.table(partitions, every=every), refresh=True)
            time.sleep(interval)
