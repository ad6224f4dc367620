"""A run's tables: they fit on a screen however much was measured."""

import io

from rich.console import Console

from tests.bench.report import print_table
from tests.bench.step import Case, Measured, Result, Sample


async def _unused() -> Sample:
    raise AssertionError


def shown(figures: dict[str, float]) -> str:
    case = Case("8 in flight", "purchases/s", _unused, baselines={"synchronous": _unused})
    measured = {name: Measured((Sample(20.0, figures),)) for name in ("candidate", "synchronous")}
    out = io.StringIO()
    print_table(Console(file=out, width=120), "purchase", [Result(case, measured)])
    return out.getvalue()


def test_few_figures_stand_beside_the_median() -> None:
    text = shown({"p50 ms": 3.0})
    assert "beside" in text
    assert "p50 ms 3" in text


def test_many_figures_have_a_row_each_and_a_column_per_contender() -> None:
    text = shown({f"part {number} ms": 1_000.0 + number for number in range(9)})
    assert "beside" not in text
    (line,) = (line for line in text.splitlines() if "part 8 ms" in line)
    assert line.count("1,008") == 2
