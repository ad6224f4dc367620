"""Hunting planted bugs: seed after seed, until the invariants object."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.simulation.mutations.mutation import Mutation
from tests.simulation.run import simulate

SEEDS = 2_000
SECONDS = 120.0


@dataclass(frozen=True)
class Catch:
    """How a planted bug was caught: the first seed that shows it, after how many steps, and by which rule.

    `seed` is None for one that was not caught in the budget.
    """

    mutation: Mutation
    seed: int | None
    runs: int
    steps: int
    seconds: float
    violation: str


def hunt(mutation: Mutation, *, seeds: int = SEEDS, seconds: float = SECONDS) -> Catch:
    """Run seeds from 0 until one breaks an invariant, or the budget is over."""
    begun, steps, runs = time.monotonic(), 0, 0
    with mutation.planted() as parts:
        for seed in range(seeds):
            run = simulate(seed, parts)
            steps, runs = steps + run.steps, runs + 1
            spent = time.monotonic() - begun
            if run.violations:
                return Catch(mutation, seed, runs, steps, spent, run.violations[0])
            if spent > seconds:
                break
    return Catch(mutation, None, runs, steps, time.monotonic() - begun, "not caught")


def hunt_all(
    mutations: tuple[Mutation, ...], *, seeds: int = SEEDS, seconds: float = SECONDS
) -> Iterator[Catch]:
    """Hunt each of them."""
    for mutation in mutations:
        yield hunt(mutation, seeds=seeds, seconds=seconds)
