"""What a benchmark is: a candidate and its baselines, measured alternately in one run, then held to account.

    async def cases(options: Options) -> AsyncGenerator[Case, None]:
        with servers() as stack:
            yield Case("even", "events/s", candidate=ours, baselines={"faust": faust}, goals={"faust": 15})

    STEP = Step("stock", "reserve commands in, table change, result out", cases)

A measurement that finds its invariants broken raises `InvariantError`: the step fails, whatever its speed.
"""

import statistics
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

CANDIDATE = "candidate"


class InvariantError(Exception):
    """The work that was measured is wrong: a piece oversold, an output missing, a view that differs."""


@dataclass(frozen=True)
class Options:
    """How a run is asked for: `rounds` per case, and `size`, by which every load is multiplied."""

    rounds: int = 3
    size: float = 1.0

    def scaled(self, count: int, least: int = 100) -> int:
        """Return a load's count at the asked size."""
        return max(least, int(count * self.size))


@dataclass(frozen=True)
class Sample:
    """One measured round: `value` in the case's unit, and what else was seen, by name with its unit."""

    value: float
    figures: Mapping[str, float] = field(default_factory=dict)


Measure = Callable[[], Awaitable[Sample]]


@dataclass(frozen=True)
class Case:
    """One load under one step.

    `goals` are the ratios to each baseline that are asked for; `targets` are absolute ones, by `value` or
    by a figure's name. With `lower_is_better` a ratio is baseline / candidate, so that more is always better.
    The first `warm_up` rounds are thrown away. `check` runs once after the rounds.
    """

    name: str
    unit: str
    candidate: Measure
    baselines: Mapping[str, Measure] = field(default_factory=dict)
    goals: Mapping[str, float] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    lower_is_better: bool = False
    warm_up: int = 0
    rounds: int | None = None
    check: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True)
class Step:
    """A benchmark by name; `cases` sets up what each case needs, and takes it down when it goes on."""

    name: str
    summary: str
    cases: Callable[[Options], AsyncGenerator[Case, None]]


@dataclass(frozen=True)
class Measured:
    """The samples of one contender in one case."""

    samples: tuple[Sample, ...]

    @property
    def median(self) -> float:
        """Return the median value."""
        return statistics.median(sample.value for sample in self.samples)

    @property
    def spread(self) -> tuple[float, float]:
        """Return the lowest and the highest value."""
        values = [sample.value for sample in self.samples]
        return min(values), max(values)

    @property
    def figures(self) -> dict[str, float]:
        """Return the medians of what else was seen."""
        names = dict.fromkeys(name for sample in self.samples for name in sample.figures)
        return {
            name: statistics.median(sample.figures[name] for sample in self.samples if name in sample.figures)
            for name in names
        }


@dataclass(frozen=True)
class Result:
    """What came of one case: the contenders by name, the candidate first."""

    case: Case
    contenders: Mapping[str, Measured]

    @property
    def ratios(self) -> dict[str, float]:
        """Return by baseline how many times better the candidate is, by the medians."""
        mine = self.contenders[CANDIDATE].median
        lower = self.case.lower_is_better
        return {
            name: other.median / mine if lower else mine / other.median
            for name, other in self.contenders.items()
            if name != CANDIDATE
        }


async def results(
    step: Step, options: Options, said: Callable[[str], None], only: frozenset[str] = frozenset()
) -> AsyncIterator[Result]:
    """Run a step's cases (those in `only`, where given), one after the other. Raises InvariantError."""
    # The servers of a case that fails are stopped here, not when the collector comes by.
    async with aclosing(step.cases(options)) as cases:
        async for case in cases:
            if not only or case.name in only:
                yield await _run(case, options, said)


async def _run(case: Case, options: Options, said: Callable[[str], None]) -> Result:
    contenders = {CANDIDATE: case.candidate, **case.baselines}
    taken: dict[str, list[Sample]] = {name: [] for name in contenders}
    rounds = options.rounds if case.rounds is None else case.rounds
    for number in range(-case.warm_up, rounds):
        for name, measure in contenders.items():
            sample = await measure()
            beside = ", ".join(f"{what} {value:,.4g}" for what, value in sample.figures.items())
            said(
                f"{case.name}: {name} {sample.value:,.4g} {case.unit}"
                + (f" ({beside})" if beside else "")
                + (" warm-up" if number < 0 else "")
            )
            if number >= 0:
                taken[name].append(sample)
    if case.check is not None:
        await case.check()
    return Result(case, {name: Measured(tuple(samples)) for name, samples in taken.items()})
