"""The small world, in all its interleavings."""

import os

import pytest

from tests.simulation.exhaustive.exploration import explore
from tests.simulation.exhaustive.small_world import SmallWorld
from tests.simulation.mutations import MUTATIONS

MOST_STATES = int(os.environ.get("SMALL_WORLD_STATES", "30000"))
FOUND_BY_EXPLORING = (
    "forget-release-on-rejection",
    "capture-without-confirm",
    "confirm-unpaid",
    "forget-cart-restore",
)


def test_the_invariants_hold_in_every_state_without_faults() -> None:
    explored = explore(SmallWorld(crashes=0))
    print(explored.figures())  # noqa: T201 - the report of the test
    assert explored.violations == []
    assert explored.complete
    assert explored.states > 10_000
    assert explored.ends > 1


def test_the_invariants_hold_when_a_worker_dies() -> None:
    """A part of it: `ecommerce simulate --exhaustive` goes through all of its half a million states."""
    explored = explore(SmallWorld(crashes=1), most_states=MOST_STATES)
    print(explored.figures())  # noqa: T201 - the report of the test
    assert explored.violations == []
    assert explored.states == MOST_STATES or explored.complete


@pytest.mark.parametrize("name", FOUND_BY_EXPLORING)
def test_exploring_finds_a_planted_bug_and_the_way_to_it(name: str) -> None:
    (mutation,) = [each for each in MUTATIONS if each.name == name]
    explored = explore(SmallWorld(crashes=0, flows=mutation.parts.flows))
    assert explored.violations
    assert "\n   1. " in explored.violations[0]
