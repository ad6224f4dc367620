"""Schedules of trouble: seeds that have failed once, fresh ones; and that a seed is all a run depends on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.campaign import campaign, seeds
from tests.simulation.run import replay, simulate
from tests.simulation.seeds import FAILED
from tests.simulation.story import shortest, told

BUDGET_S = float(os.environ.get("SIMULATION_SECONDS", "30"))
SEED = 7
TRACE = f"from tests.simulation.run import simulate; print(simulate({SEED}).trace)"


@pytest.mark.parametrize("seed", FAILED)
def test_a_seed_that_has_failed_once_does_not_fail_again(seed: int) -> None:
    assert simulate(seed).violations == ()


def test_fresh_seeds_break_no_invariant() -> None:
    figures = campaign(seeds(None), seconds=BUDGET_S, most_failures=1)
    print(f"{figures.schedules} schedules, {figures.steps} steps, {len(figures.distinct)} distinct states")  # noqa: T201 - the report of the test
    for run in figures.failures:
        pytest.fail(f"seed {run.seed}\n{told(shortest(run))}")
    assert figures.steps > 0
    assert figures.facts["orders"] > 0


def test_the_same_seed_is_the_same_run_in_any_process() -> None:
    traces = {
        subprocess.run(
            [sys.executable, "-c", TRACE],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).parents[2],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()[-1]
        for hash_seed in ("1", "2")
    }
    assert traces == {str(simulate(SEED).trace)}


def test_a_run_is_its_choices() -> None:
    run = simulate(SEED)
    again = replay(SEED, run.choices)
    assert (again.choices, again.trace) == (run.choices, run.trace)


def test_faults_happen() -> None:
    """Zombies are fenced, and every kind of step is taken, or the simulation would show nothing."""
    runs = [simulate(seed) for seed in range(24)]
    assert sum(dict(run.facts)["fenced"] for run in runs) > 0
    taken = {choice[0] for run in runs for choice in run.choices}
    assert taken >= {
        *("say", "repeat", "tick", "fetch", "work", "carry", "rest", "arm", "fire", "commit", "compact"),
        "make-anew",
        *("crash", "start", "stall", "wake", "expire", "hear", "rebalance", "skew"),
        *("instruct", "provide", "arrive", "gateway-commit", "gateway-crash", "gateway-succeed"),
        *("poll", "write", "sink-crash", "sink-succeed", "late-write"),
    }
