"""`python -m tests.simulation`: what `ecommerce simulate` runs."""

import json as text
import logging
import sys
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.simulation import report
from tests.simulation.campaign import Figures, campaign, seeds
from tests.simulation.exhaustive.exploration import explore
from tests.simulation.mutations import MUTATIONS
from tests.simulation.mutations.hunt import Catch, hunt
from tests.simulation.story import shortest, told

notes = Console(stderr=True, soft_wrap=True, highlight=False)
DEFAULT_STEPS = 100_000


def main(
    *,
    seed: Annotated[int | None, typer.Option(help="Run this seed alone, or begin with it.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps to run.")] = None,
    hours: Annotated[float | None, typer.Option(min=0.0, help="Hours to run.")] = None,
    mutations: Annotated[bool, typer.Option("--mutations", help="Hunt the planted bugs.")] = False,
    exhaustive: Annotated[bool, typer.Option("--exhaustive", help="Explore the small world.")] = False,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Simulate the whole dataflow under schedules of trouble, and check what must hold."""
    # What the parts log is what the simulation does to them.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    table = Console(width=None if sys.stdout.isatty() else 150)
    failed = False
    figures: dict[str, Any] = {}
    if mutations:
        catches = [_hunted(hunt(mutation)) for mutation in MUTATIONS]
        table.print(report.mutation_table(catches))
        figures = report.mutation_figures(catches)
        failed = any(catch.seed is None for catch in catches)
    elif exhaustive:
        world = explore(say=lambda words: notes.print(words, markup=False))
        table.print(report.exploration_table(world))
        figures = report.exploration_figures(world)
        failed = bool(world.violations)
    elif seed is not None and steps is None and hours is None:
        alone = campaign(iter([seed]))
        figures = _finished(alone, table)
        failed = bool(alone.failures)
    else:
        done = _campaign(seed, steps, hours)
        figures = _finished(done, table)
        failed = bool(done.failures)
    if json:
        print(text.dumps(figures), flush=True)  # noqa: T201 - the line that machines read
    raise typer.Exit(int(failed))


def _campaign(seed: int | None, steps: int | None, hours: float | None) -> Figures:
    budget = DEFAULT_STEPS if steps is None and hours is None else steps
    seconds = None if hours is None else hours * 3600
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:,.0f} steps/s"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=notes, disable=not notes.is_terminal) as progress:
        task = progress.add_task("simulating", total=budget, rate=0.0)

        def after(figures: Figures, at: int) -> None:
            progress.update(task, completed=figures.steps, rate=figures.rate, description=f"seed {at}")

        return campaign(seeds(seed), steps=budget, seconds=seconds, after=after)


def _finished(figures: Figures, table: Console) -> dict[str, Any]:
    stories = []
    for run in figures.failures:
        notes.print(f"seed {run.seed} fails after {run.steps:,} steps; shrinking", style="red")
        short = shortest(run)
        stories.append(told(short))
        notes.print(f"seed {run.seed}, {len(run.choices):,} choices shrunk to {len(short.choices)}:")
        notes.print(stories[-1], markup=False)
        notes.print(f"again: ecommerce simulate --seed {run.seed}")
    table.print(report.figures_table(figures))
    return report.figures_json(figures, stories)


def _hunted(catch: Catch) -> Catch:
    found = f"seed {catch.seed}" if catch.seed is not None else "NOT CAUGHT"
    notes.print(f"{catch.mutation.name}: {found}, {catch.seconds:.1f} s", markup=False)
    return catch


if __name__ == "__main__":
    typer.run(main)
