"""The simulation's figures: as tables for people, as plain data for machines."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from tests.simulation.campaign import Figures
from tests.simulation.exhaustive.exploration import Explored
from tests.simulation.mutations.hunt import Catch


def figures_table(figures: Figures) -> Table:
    """Return a campaign's figures."""
    table = Table("", "", title="simulation", show_header=False)
    table.columns[1].justify = "right"
    table.add_row("schedules", f"{figures.schedules:,}")
    table.add_row("steps", f"{figures.steps:,}")
    table.add_row("steps/s", f"{figures.rate:,.0f}")
    table.add_row("distinct states", f"{len(figures.distinct):,}")
    for name, value in figures.facts.items():
        table.add_row(name, f"{value:,}")
    table.add_row("violations", f"{figures.violations:,}", style="red" if figures.violations else "green")
    return table


def figures_json(figures: Figures, stories: Sequence[str]) -> dict[str, Any]:
    """Return a campaign's figures as plain data."""
    return {
        "steps": figures.steps,
        "schedules": figures.schedules,
        "violations": figures.violations,
        "steps_per_second": round(figures.rate, 1),
        "distinct_states": len(figures.distinct),
        **figures.facts,
        "failures": [
            {"seed": run.seed, "violations": run.violations, "story": story}
            for run, story in zip(figures.failures, stories, strict=True)
        ],
    }


def mutation_table(catches: Sequence[Catch]) -> Table:
    """Return which planted bug was caught how."""
    table = Table("planted bug", "room", "seed", "steps", "caught by", title="planted bugs")
    for catch in catches:
        caught = catch.seed is not None
        table.add_row(
            catch.mutation.name,
            catch.mutation.room,
            str(catch.seed) if caught else "-",
            f"{catch.steps:,}",
            rule(catch.violation) if caught else "not caught",
            style=None if caught else "red",
        )
    return table


def mutation_figures(catches: Sequence[Catch]) -> dict[str, Any]:
    """Return the hunt as plain data."""
    return {
        "planted": len(catches),
        "caught": sum(catch.seed is not None for catch in catches),
        "steps": sum(catch.steps for catch in catches),
        "schedules": sum(catch.runs for catch in catches),
        "mutations": {
            catch.mutation.name: {"seed": catch.seed, "steps": catch.steps, "violation": catch.violation}
            for catch in catches
        },
    }


def rule(violation: str) -> str:
    """Return the rule that a violation breaks."""
    head, _, rest = violation.partition(": ")
    return head if rest else violation


def exploration_table(explored: Explored) -> Table:
    """Return what an exploration came to."""
    table = Table("", "", title="the small world, exhaustively", show_header=False)
    table.columns[1].justify = "right"
    for name, value in explored.figures().items():
        table.add_row(name.replace("_", " "), f"{value:,}")
    return table


def exploration_figures(explored: Explored) -> dict[str, Any]:
    """Return an exploration as plain data."""
    return {**explored.figures(), "failures": list(explored.violations)}
