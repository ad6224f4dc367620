"""`ecommerce up`, `down`, `status` and `reset`."""

import json
import time
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.errors import CommandError
from deploy.processes import lifecycle
from deploy.processes.status import Row, is_healthy
from deploy.processes.status import status as read_status
from topics.settings import PortOffset, settings

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")]
_NUMBERS = {"pid", "uptime", "memory"}
_INTERRUPTED = "interrupted; what was started stays up: `ecommerce down` stops it"


@app.command()
def up(
    *,
    servers_only: Annotated[
        bool, typer.Option("--servers-only", help="Start Kafka, PostgreSQL and Redis alone.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=PortOffset.SINK_METRICS - PortOffset.WORKER_METRICS, help="Number of stream workers."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start the platform, or what of it does not run, and wait until all of it serves."""
    chosen = settings()
    started = time.monotonic()
    try:
        seconds = lifecycle.up(chosen, servers_only=servers_only, workers=workers)
    except KeyboardInterrupt as interrupt:
        raise CommandError(_INTERRUPTED, 130) from interrupt
    took = time.monotonic() - started
    console = Console(stderr=True, highlight=False)
    console.print(f"\n[green bold]up[/] in {took:.1f} s, data in {chosen.data_dir.absolute()}")
    if not servers_only:
        console.print(f"the shop is open at [bold cyan]{chosen.api_url}[/]")
    console.print("[dim]`ecommerce status` shows it, `ecommerce down` stops it, nothing is lost[/]")
    if as_json:
        print(json.dumps({"seconds": round(took, 3), "steps": {n: round(s, 3) for n, s in seconds.items()}}))


@app.command()
def down(*, as_json: AsJson = False) -> None:
    """Stop the platform; all data stays."""
    started = time.monotonic()
    seconds = lifecycle.down(settings())
    took = time.monotonic() - started
    console = Console(stderr=True, highlight=False)
    console.print(f"\n[green bold]down[/] in {took:.1f} s" if seconds else "nothing was running")
    if as_json:
        print(json.dumps({"seconds": round(took, 3), "stopped": sorted(seconds)}))


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Show every process: state, uptime, memory, address, health. Exits with 1 where one is not healthy."""
    rows = read_status(settings())
    healthy = is_healthy(rows)
    if as_json:
        print(json.dumps({"healthy": healthy, "processes": [asdict(row) for row in rows]}))
    else:
        console = Console(highlight=False)
        console.print(_table(rows))
        for row in rows:
            if row.detail:
                console.print(Text(f"{row.title}: {row.detail}", "red"))
    if not healthy:
        raise typer.Exit(1)


@app.command()
def reset(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Stop the platform and delete all its data."""
    root = settings().data_dir.absolute()
    if not yes and not typer.confirm(f"Stop the platform and delete everything in {root}?"):
        raise CommandError("nothing was deleted")
    lifecycle.reset(settings())
    Console(stderr=True, highlight=False).print(f"[green bold]wiped[/] {root}")


def _table(rows: list[Row]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("", "process", "state", "pid", "uptime", "memory", "address"):
        table.add_column(title, justify="right" if title in _NUMBERS else "left", overflow="fold")
    for row in rows:
        quiet = row.state == "stopped" and not row.wanted
        sign = Text("✓", "green") if row.healthy else Text("·", "dim") if quiet else Text("✗", "bold red")
        table.add_row(
            sign,
            Text(row.title, "dim" if quiet else ""),
            Text(row.state, "dim" if quiet else "red" if not row.healthy else ""),
            str(row.pid or ""),
            _duration(row.uptime_s) if row.pid else "",
            f"{row.memory_bytes / 1_000_000:.0f} MB" if row.pid else "",
            Text(row.address, "dim" if quiet else "cyan"),
        )
    return table


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {left:02} s" if minutes else f"{left} s"
