import csv
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.bench import chart, loads, report
from tests.bench.step import Case, InvariantError, Measure, Options, Result, Sample, Step, results


def contender(name: str, values: list[float], order: list[str]) -> Measure:
    left = iter(values)

    async def measure() -> Sample:
        order.append(name)
        return Sample(next(left), {"cpu": 2.0})

    return measure


async def run(case: Case, rounds: int = 3) -> list[Result]:
    async def cases(_: Options) -> AsyncGenerator[Case, None]:
        yield case

    step = Step("toy", "a toy", cases)
    return [result async for result in results(step, Options(rounds=rounds), lambda _: None)]


async def test_contenders_take_turns_and_medians_are_compared() -> None:
    order: list[str] = []
    case = Case(
        "one",
        "events/s",
        contender("mine", [1, 100, 300, 200], order),
        {"other": contender("other", [1, 10, 30, 20], order)},
        goals={"other": 5.0},
        warm_up=1,
    )
    (result,) = await run(case)
    assert order == ["mine", "other"] * 4
    assert result.ratios == {"other": 10.0}
    said = report.as_json("toy", [result])
    assert (said["candidate"], said["other"], said["ratio"]) == (200, 20, {"other": 10.0})
    assert said["cases"]["one"]["spread"]["candidate"] == (100, 300)


async def test_where_less_is_better_the_ratio_says_so() -> None:
    case = Case(
        "one", "s", contender("mine", [2], []), {"other": contender("other", [8], [])}, lower_is_better=True
    )
    (result,) = await run(case, rounds=1)
    assert result.ratios == {"other": 4.0}


async def test_a_broken_invariant_fails_the_run() -> None:
    async def oversold() -> None:
        raise InvariantError("oversold")

    with pytest.raises(InvariantError, match="oversold"):
        await run(Case("one", "events/s", contender("mine", [1], []), check=oversold), rounds=1)


async def test_what_is_recorded_can_be_drawn(tmp_path: Path) -> None:
    baselines = {"other": contender("other", [2, 5], [])}
    case = Case("one", "events/s", contender("mine", [10, 10], []), baselines, goals={"other": 3.0})
    for _ in range(2):
        path = report.record("toy", await run(case, rounds=1), tmp_path)
    with path.open(newline="") as file:
        assert [row["ratio"] for row in csv.DictReader(file) if row["contender"] == "other"] == ["5", "2"]
    rows = chart.rows_of(path)
    assert [row["ratio"] for row in rows if row["contender"] == "other"] == ["2"]
    assert "toy, one: other" in chart.draw(rows)


async def test_a_figure_is_drawn_as_times_its_goal(tmp_path: Path) -> None:
    case = Case("one", "ms", contender("mine", [50], []), targets={"value": "<= 100", "cpu": ">= 4"})
    drawn = chart.draw(chart.rows_of(report.record("toy", await run(case, rounds=1), tmp_path)))
    assert "50 (≤ 100)" in drawn
    assert "2 (≥ 4)" in drawn


def test_loads_are_what_they_are_called() -> None:
    keys = [f"k{number}" for number in range(100)]
    assert loads.even(keys, 50, 1) == loads.even(keys, 50, 1)
    skewed = loads.zipf(keys, 5_000, 1)
    assert skewed.count("k0") > 5 * skewed.count("k50")
    assert set(loads.hot("k", 3)) == {"k"}
