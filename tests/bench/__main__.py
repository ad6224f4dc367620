"""`python -m tests.bench STEP [--json] [--record]`: run one benchmark, or `all` of them."""

import asyncio
import sys
from importlib import import_module
from typing import Annotated

import typer
from rich.console import Console

from tests.bench import chart, overload_chart, report
from tests.bench.step import InvariantError, Options, Result, Step, results

# Each module has a STEP; imported when it is asked for.
STEPS = {
    "purchase": "tests.bench.steps.purchase",
    "stock": "tests.bench.steps.stock",
    "cart": "tests.bench.steps.cart",
    "checkout": "tests.bench.steps.checkout",
    "api": "tests.bench.steps.api",
    "search": "tests.bench.steps.search",
    "sinks": "tests.bench.steps.sinks",
    "replay": "tests.bench.steps.replay",
    "recovery": "tests.bench.steps.recovery",
    "memory": "tests.bench.steps.memory",
    "scale": "tests.bench.steps.scale",
    "overload": "tests.bench.steps.overload",
}

# Standard error: standard output has the table and, on its last line, the JSON object.
progress = Console(stderr=True, soft_wrap=True, highlight=False)


def main(
    step: Annotated[str, typer.Argument(help=f"One of {', '.join(STEPS)}, or all.")] = "all",
    *,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object per step.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Append to docs/benchmarks/.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds per case.")] = 3,
    size: Annotated[float, typer.Option(min=0.001, help="Multiplies every load.")] = 1.0,
    case: Annotated[list[str] | None, typer.Option(help="Only these cases.")] = None,
) -> None:
    """Measure the platform and its baselines, alternately, in one run."""
    if step != "all" and step not in STEPS:
        progress.print(f"error: STEP: {step!r} is none of {', '.join(STEPS)}, all", style="red")
        raise typer.Exit(2)
    options = Options(rounds=rounds, size=size)
    failed = False
    for name in STEPS if step == "all" else (step,):
        try:
            done = asyncio.run(_run(name, options, frozenset(case or ())))
        except InvariantError as error:
            progress.print(f"error: {name}: {error}", style="red", markup=False)
            failed = True
            continue
        report.print_table(Console(width=None if sys.stdout.isatty() else 150), name, done)
        if record:
            path = report.record(name, done)
            chart.CHART.write_text(chart.draw(chart.rows_of(path)))
            progress.print(f"recorded in {path.name}, drawn in {chart.CHART.name}")
            if name == "overload":
                points = overload_chart.points_of(chart.rows_of(path))
                overload_chart.CHART.write_text(overload_chart.draw(points))
        if json:
            report.print_json(name, done)
    if failed:
        raise typer.Exit(1)


async def _run(name: str, options: Options, only: frozenset[str]) -> list[Result]:
    step: Step = import_module(STEPS[name]).STEP
    progress.print(f"{step.name}: {step.summary}")
    said = lambda text: progress.print(f"  {text}", markup=False)  # noqa: E731
    return [result async for result in results(step, options, said, only)]


if __name__ == "__main__":
    typer.run(main)
