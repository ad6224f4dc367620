"""What a check is: a pure look at the facts, which counts what it looks at and names what is wrong."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from deploy.doctor.facts import Facts

Breaches = Iterator[tuple[str, str]]
"""The id of the thing that breaks the rule, and how."""


@dataclass(frozen=True)
class Check:
    """An invariant: `title` states it, `counts` says how many things it is about.

    `way` is what mends it, where one command usually does.
    """

    name: str
    title: str
    counts: Callable[[Facts], int]
    breaches: Callable[[Facts], Breaches]
    way: str = ""


@dataclass(frozen=True)
class Violation:
    """An invariant that does not hold for one thing."""

    check: str
    id: str
    detail: str


@dataclass(frozen=True)
class Outcome:
    """What one check found."""

    name: str
    title: str
    looked_at: int
    violations: tuple[Violation, ...]
    way: str = ""


def examine(facts: Facts, checks: Sequence[Check]) -> list[Outcome]:
    """Return every check's outcome."""
    return [
        Outcome(
            check.name,
            check.title,
            check.counts(facts),
            tuple(Violation(check.name, key, detail) for key, detail in check.breaches(facts)),
            check.way,
        )
        for check in checks
    ]
