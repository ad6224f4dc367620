"""`python -m tests.chaos --minutes N [--seed N] [--json]`: faults under load, and the verdict."""

import asyncio
import random
import sys
from contextlib import suppress
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from deploy.errors import CommandError
from tests.chaos import report, screen
from tests.chaos.journal import Journal
from tests.chaos.run import Finding, Plan, Progress, run

notes = Console(stderr=True, highlight=False)


def main(
    *,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long faults are injected.")] = 5.0,
    seed: Annotated[int | None, typer.Option(help="Order of the faults and the load.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, help="New shoppers a second.")] = 4.0,
    elasticsearch: Annotated[bool, typer.Option("--elasticsearch", help="With a test peer of it.")] = False,
    patience: Annotated[
        float, typer.Option(min=0.1, help="Multiplies the stated times, on a slow or shared machine.")
    ] = 1.0,
    only: Annotated[list[str] | None, typer.Option(help="Only these kinds of faults.")] = None,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Inject faults into a platform of its own under load; exit 1 where anything was lost or doubled."""
    chosen = random.SystemRandom().randrange(2**32) if seed is None else seed
    notes.print(f"chaos for {minutes:g} min, seed {chosen}")
    plan = Plan(
        seconds=minutes * 60,
        seed=chosen,
        rate=rate,
        elasticsearch=elasticsearch,
        kinds=frozenset(only or ()),
        pairs=not only,
        patience=patience,
    )
    try:
        found = asyncio.run(_shown(plan))
    except CommandError as error:
        notes.print(f"error: {error}", style="red", markup=False)
        raise typer.Exit(2) from error
    report.print_report(Console(width=None if sys.stdout.isatty() else 150), found)
    if json:
        print(msgspec.json.encode(report.figures(found)).decode(), flush=True)  # noqa: T201 - for machines
    if report.violations_of(found):
        raise typer.Exit(1)


async def _shown(plan: Plan) -> Finding:
    progress = Progress(plan, Journal())
    showing = asyncio.create_task(screen.show(progress, notes))
    try:
        return await run(plan, progress)
    finally:
        # Its last look shows how the run ended.
        await asyncio.sleep(0)
        showing.cancel()
        with suppress(asyncio.CancelledError):
            await showing


if __name__ == "__main__":
    typer.run(main)
