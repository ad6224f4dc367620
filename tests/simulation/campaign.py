"""Many runs: first the seeds that have failed once, then fresh ones, until the budget is over."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count

from tests.simulation.distinct import Distinct
from tests.simulation.run import STEPS, Run, simulate
from tests.simulation.seeds import FAILED

_SEED_RANGE = 2**31


@dataclass
class Figures:
    """What a campaign came to. `facts` are sums over its runs."""

    steps: int = 0
    schedules: int = 0
    seconds: float = 0.0
    distinct: Distinct = field(default_factory=Distinct)
    facts: dict[str, int] = field(default_factory=dict)
    failures: list[Run] = field(default_factory=list)

    @property
    def violations(self) -> int:
        """Return how many violations were found, over all runs."""
        return sum(len(run.violations) for run in self.failures)

    @property
    def rate(self) -> float:
        """Return steps per second."""
        return self.steps / self.seconds if self.seconds else 0.0

    def add(self, run: Run) -> None:
        """Take a run."""
        self.steps += run.steps
        self.schedules += 1
        for name, value in run.facts:
            self.facts[name] = self.facts.get(name, 0) + value
        if run.violations:
            self.failures.append(run)


def seeds(first: int | None) -> Iterator[int]:
    """Return the seeds to run: those that failed once, then fresh ones from `first` (by chance, if None)."""
    start = secrets.randbelow(_SEED_RANGE) if first is None else first
    return chain(FAILED, count(start))


def campaign(
    chosen: Iterator[int],
    *,
    steps: int | None = None,
    seconds: float | None = None,
    most_failures: int = 3,
    after: Callable[[Figures, int], None] = lambda _figures, _seed: None,
) -> Figures:
    """Run seeds until so many steps are done, so much time is over or so many runs have failed."""
    figures, begun = Figures(), time.monotonic()
    for seed in chosen:
        figures.add(simulate(seed, steps=STEPS, look=figures.distinct.add))
        figures.seconds = time.monotonic() - begun
        after(figures, seed)
        if (
            (steps is not None and figures.steps >= steps)
            or (seconds is not None and figures.seconds >= seconds)
            or len(figures.failures) >= most_failures
        ):
            break
    return figures
