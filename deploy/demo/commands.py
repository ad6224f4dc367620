"""`ecommerce demo`: start the platform, replay a real shop's orders, and reconcile to the cent."""

import asyncio
import signal
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from connectors.retail.cells import RetailFileError
from connectors.retail.invoices import Window
from connectors.retail.notation import DateOrder, DecimalMark, Notation
from connectors.retail.reading import BUNDLED
from deploy.broker import broker
from deploy.demo.outcomes import StalledError
from deploy.demo.report import as_json, money, show
from deploy.demo.session import Outcome, Session, read_shop
from deploy.demo.settle import NotSettledError
from deploy.doctor.check import Violation, examine
from deploy.doctor.examination import gather
from deploy.doctor.gathered import CHECKS
from deploy.errors import CommandError
from deploy.output import JsonOption, console, notes, print_json
from deploy.processes import lifecycle
from deploy.processes.status import status
from deploy.topology.gather import running
from deploy.views.differing import differing
from topics.credentials import Role
from topics.settings import PortOffset, Settings, settings

INTERRUPTED = 130
DOCTOR_WAIT_S = 120.0

app = typer.Typer(rich_markup_mode="rich")


@app.command()
def demo(
    *,
    file: Annotated[
        Path,
        typer.Option(help="Parquet, a workbook or CSV with the bundled file's columns.", show_default=False),
    ] = BUNDLED,
    dates: Annotated[
        DateOrder | None,
        typer.Option(
            help="What comes first in dates such as 05/01/2009; needed where the file does not show it."
        ),
    ] = None,
    decimal: Annotated[
        DecimalMark | None,
        typer.Option(help="What stands before the pence; needed where `1,234` could be either."),
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="Replay invoices from this day (UTC) on."),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Replay invoices before this day (UTC)."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help="Replay the first so many invoices of the window.")
    ] = None,
    speed: Annotated[
        float | None, typer.Option(min=0.001, help="Multiple of real time; without it, as fast as it goes.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=PortOffset.SINK_METRICS - PortOffset.WORKER_METRICS, help="Number of stream workers."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Start the platform, load the catalogue, replay invoices as carts and checkouts, and reconcile.

    The report compares every month of what was replayed with what the views hold, to the row and the cent.
    Exits with 1 where they differ or `doctor` finds a violation, and with 130 after Ctrl-C. A rerun goes on
    where the last one ended and doubles nothing.
    """
    window = Window(
        start=start.replace(tzinfo=UTC).date() if start else None,
        end=end.replace(tzinfo=UTC).date() if end else None,
        limit=limit,
    )
    if window.start and window.end and window.start >= window.end:
        raise CommandError(f"--to {window.end} must be after --from {window.start}", 2)
    began = time.monotonic()
    chosen, say = settings().logged_in_as(Role.READER), notes()
    try:
        shop = read_shop(file, chosen.currency, Notation(dates, decimal))
    except RetailFileError as error:
        raise CommandError(str(error), 2) from error
    lifecycle.up(chosen, workers=workers, console=say)
    outcome = _replay(Session(chosen, shop, say), window, speed, say)
    violations = _violations(chosen, say)
    memory = {row.name: row.memory_bytes for row in status(chosen) if row.memory_bytes}
    seconds = time.monotonic() - began
    figures = _figures(outcome, violations, memory, seconds) | {
        "shop": chosen.api_url,
        "currency": chosen.currency,
    }
    if json:
        show(outcome.reconciliation, say, chosen.currency)
        print_json(figures)
    else:
        show(outcome.reconciliation, console(), chosen.currency)
        _summary(figures, console())
    if outcome.interrupted:
        raise typer.Exit(INTERRUPTED)
    if violations or not outcome.reconciliation.exact:
        raise typer.Exit(1)


def _replay(session: Session, window: Window, speed: float | None, say: Console) -> Outcome:
    try:
        return asyncio.run(_interruptible(session, window, speed, say))
    except (NotSettledError, StalledError) as error:
        raise CommandError(
            f"{error}; `ecommerce status` shows what runs, `ecommerce lag` who waits"
        ) from error


async def _interruptible(session: Session, window: Window, speed: float | None, say: Console) -> Outcome:
    """Run the session; the first Ctrl-C ends it at an invoice boundary, a second one at once."""
    running = asyncio.ensure_future(session.run(window, speed))
    presses = 0

    def interrupt() -> None:
        nonlocal presses
        presses += 1
        if presses > 1:
            running.cancel()
            return
        session.stop()
        say.print("stopping: what is in flight ends first (Ctrl-C again to leave at once)", highlight=False)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        return await running
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _figures(
    outcome: Outcome, violations: list[dict[str, str]], memory: dict[str, int], seconds: float
) -> dict[str, Any]:
    replayed = max(outcome.seconds, 1e-9)
    return {
        **as_json(outcome.reconciliation),
        "violations": violations,
        "interrupted": outcome.interrupted,
        "invoices": outcome.invoices,
        "sent": outcome.sent,
        "skipped": outcome.skipped,
        "failed": outcome.failed,
        "lag": outcome.lag,
        "beside": msgspec.to_builtins(outcome.beside),
        "seconds": round(seconds, 3),
        "load_seconds": round(outcome.load_seconds, 3),
        "replay_seconds": round(outcome.seconds, 3),
        "invoices_per_s": round(outcome.sent / replayed, 1),
        "events": outcome.events,
        "events_per_s": round(outcome.events / replayed, 1),
        "memory_bytes": memory,
    }


def _summary(figures: dict[str, Any], out: Console) -> None:
    violations = figures["violations"]
    for violation in violations:
        named = f"{violation['check']} {violation['id']}: {violation['detail']}"
        out.print(f"[red]doctor[/red]: {named}", highlight=False)
    if not violations:
        out.print("[green]doctor[/green]: no violation", highlight=False)
    if figures["failed"]:
        out.print(f"[red]orders that failed[/red]: {figures['failed']}", highlight=False)
    out.print(
        f"replayed {figures['sent']:,} orders and returns in {figures['replay_seconds']:.1f} s"
        f" ({figures['invoices_per_s']:,.1f} invoices/s, {figures['events_per_s']:,.0f} events/s),"
        f" {figures['skipped']:,} were there already; lag {figures['lag']};"
        f" {figures['load_seconds']:.1f} s for the catalogue; {figures['seconds']:.1f} s in all",
        highlight=False,
        soft_wrap=True,
    )
    beside = figures["beside"]
    out.print(f"in stock: {beside['in_stock']:,} of {beside['products']:,} products", highlight=False)
    if beside["orders"]:
        out.print(
            f"beside this file: {beside['orders']:,} orders of shoppers or other files, over"
            f" {money(beside['total'], figures['currency'])}; they are no part of the reconciliation",
            highlight=False,
            soft_wrap=True,
        )
    memory = ", ".join(f"{name} {size / 1_000_000:.0f} MB" for name, size in figures["memory_bytes"].items())
    out.print(f"memory: {memory}", highlight=False)
    if figures["interrupted"]:
        out.print("[yellow]interrupted[/yellow]: run it again to go on", highlight=False)
    out.print(f"the shop is open at [bold cyan]{figures['shop']}[/]", highlight=False)


def _violations(chosen: Settings, say: Console) -> list[dict[str, str]]:
    """Return what `ecommerce doctor` and `ecommerce views verify` find."""
    with broker(chosen), say.status("doctor: looking") as looking:
        facts = gather(chosen, running(chosen), DOCTOR_WAIT_S, looking.update)
        looking.update("views verify: comparing row by row")
        rows = [Violation("views_verify", key, detail) for key, detail in differing(chosen)]
    broken = [found for outcome in examine(facts, CHECKS) for found in outcome.violations]
    return [asdict(found) for found in (*broken, *rows)]
