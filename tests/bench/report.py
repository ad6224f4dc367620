"""A run's figures: as a table for people, as JSON for machines, as CSV rows to keep."""

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import machine
from tests.bench.step import CANDIDATE, Result

RECORDS = Path(__file__).parents[2] / "docs" / "benchmarks"
# More than so many figures do not fit beside the median.
_MOST_BESIDE = 5
COLUMNS = (
    "at",
    "step",
    "case",
    "contender",
    "unit",
    "median",
    "low",
    "high",
    "rounds",
    "ratio",
    "goal",
    "load",
    "pace",
    "machine",
)


def print_table(console: Console, step: str, results: Sequence[Result]) -> None:
    """Print medians, spread, ratios and goals; many other figures go into a table for each case."""
    most = max((len(each.figures) for result in results for each in result.contenders.values()), default=0)
    apart = most > _MOST_BESIDE
    table = Table(
        *("case", "contender", "unit", "median", "low", "high", "ratio", "goal"),
        *(() if apart else ("beside",)),
        title=f"{step} (load {machine.load():.1f}, pace {machine.pace():.1f} ms; {machine.description()})",
    )
    for result in results:
        for name, measured in result.contenders.items():
            low, high = measured.spread
            beside = [", ".join(f"{what} {value:,.4g}" for what, value in measured.figures.items())]
            table.add_row(
                result.case.name,
                name,
                result.case.unit,
                f"{measured.median:,.5g}",
                f"{low:,.5g}",
                f"{high:,.5g}",
                _ratio(result, name),
                _goal(result, name),
                *([] if apart else beside),
            )
        table.add_section()
    console.print(table)
    if apart:
        for result in results:
            console.print(_figures(result))


def _figures(result: Result) -> Table:
    """Return one case's other figures, a row each and a column per contender."""
    table = Table("", *result.contenders, title=result.case.name, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    of_each = [measured.figures for measured in result.contenders.values()]
    for what in dict.fromkeys(what for figures in of_each for what in figures):
        table.add_row(what, *(f"{figures[what]:,.4g}" if what in figures else "" for figures in of_each))
    return table


def as_json(step: str, results: Sequence[Result]) -> dict[str, Any]:
    """Return the run as one object: the first case's figures on top, and all of them under `cases`."""
    cases = {result.case.name: _case_json(result) for result in results}
    first = next(iter(cases.values()), {})
    return {
        "step": step,
        **first,
        "cases": cases,
        "load": round(machine.load(), 2),
        "pace": round(machine.pace(), 2),
        "machine": machine.description(),
    }


def print_json(step: str, results: Sequence[Result]) -> None:
    """Print the object on a line of its own."""
    print(json.dumps(as_json(step, results)), flush=True)  # noqa: T201 - the line that machines read


def current(directory: Path = RECORDS) -> Path:
    """Return the path of this release's CSV file."""
    return directory / f"{version('ecommerce-streams')}.csv"


def record(step: str, results: Sequence[Result], directory: Path = RECORDS) -> Path:
    """Append the run to the release's CSV file and return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = current(directory)
    new = not path.exists()
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        state = [f"{machine.load():.1f}", f"{machine.pace():.1f}", machine.description()]
        for result in results:
            for row in _rows(result):
                writer.writerow([at, step, *row, *state])
    return path


def _rows(result: Result) -> list[list[str]]:
    case = result.case
    rows = []
    for name, measured in result.contenders.items():
        low, high = measured.spread
        values = [f"{value:.6g}" for value in (measured.median, low, high)]
        rounds = str(len(measured.samples))
        tail = [_ratio(result, name), _goal(result, name)]
        rows.append([case.name, name, case.unit, *values, rounds, *tail])
        for what, value in measured.figures.items():
            goal = case.targets.get(what, "") if name == CANDIDATE else ""
            rows.append([case.name, f"{name}: {what}", "", f"{value:.6g}", "", "", rounds, "", goal])
    return rows


def _case_json(result: Result) -> dict[str, Any]:
    return {
        "unit": result.case.unit,
        **{name: measured.median for name, measured in result.contenders.items()},
        "ratio": result.ratios,
        "goal": dict(result.case.goals),
        "target": dict(result.case.targets),
        "spread": {name: measured.spread for name, measured in result.contenders.items()},
        "figures": {name: measured.figures for name, measured in result.contenders.items()},
        "rounds": {name: len(measured.samples) for name, measured in result.contenders.items()},
    }


def _ratio(result: Result, name: str) -> str:
    ratio = result.ratios.get(name)
    return "" if ratio is None else f"{ratio:.3g}"


def _goal(result: Result, name: str) -> str:
    if name == CANDIDATE:
        return result.case.targets.get("value", "")
    goal = result.case.goals.get(name)
    return "" if goal is None else f">= {goal:g}"
