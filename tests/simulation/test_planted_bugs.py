"""Every planted bug is caught; and a failing run becomes a story."""

import pytest

from tests.simulation.mutations import MUTATIONS
from tests.simulation.mutations.hunt import hunt
from tests.simulation.mutations.mutation import Mutation
from tests.simulation.run import simulate
from tests.simulation.story import shortest, told


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_planted_bug_is_caught(mutation: Mutation) -> None:
    catch = hunt(mutation, seconds=240)
    print(f"{mutation.name}: seed {catch.seed}, {catch.steps} steps, {catch.violation}")  # noqa: T201 - the report of the test
    assert catch.seed is not None, f"{mutation.wrong}: not caught in {catch.runs} runs"


def test_names_are_used_once() -> None:
    names = [mutation.name for mutation in MUTATIONS]
    assert len(set(names)) == len(names)


def test_a_failing_run_is_shrunk_to_a_story() -> None:
    (mutation,) = [each for each in MUTATIONS if each.name == "forget-cart-restore"]
    with mutation.planted() as parts:
        run = next(run for seed in range(100) if (run := simulate(seed, parts)).violations)
        short = shortest(run, parts, budget_s=60)
    story = told(short)
    assert len(short.choices) < len(run.choices) / 10
    assert story.startswith("   1. ")
    assert "asks to buy the cart" in story
    assert "no cart stays frozen" in story.splitlines()[-1]
