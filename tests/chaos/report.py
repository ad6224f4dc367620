"""A run's figures: as tables for people, as one JSON object for machines."""

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.doctor.check import Outcome, Violation
from tests.chaos.injection import Injected
from tests.chaos.run import Finding
from tests.chaos.verdict import DOUBLES, LOSSES

_SHOWN = 20


def figures(found: Finding) -> dict[str, Any]:
    """Return everything as plain data."""
    events = found.evidence.facts.events
    violations = violations_of(found)
    return {
        "seed": found.plan.seed,
        "minutes": round(found.plan.seconds / 60, 2),
        "seconds": round(found.seconds, 1),
        "faults": len(found.injected),
        "kinds": {name: kind_figures(some) for name, some in by_kind(found.injected).items()},
        "accepted_commands": len(found.journal.commands),
        "checkouts": len(found.journal.checkouts),
        "completed": sum(bool(ends.completed) for ends in events.ends.values()),
        "failed": sum(bool(ends.failed) for ends in events.ends.values()),
        "captured_orders": len(events.captures),
        "answers": dict(found.journal.answers),
        "unexpected_answers": found.journal.unexpected,
        "repeated_outputs": found.evidence.repeated,
        "losses": sum(one.check in LOSSES for one in violations),
        "doubles": sum(one.check in DOUBLES for one in violations),
        "longest_unavailability_s": max((one.longest for one in found.injected), default=0.0),
        "checks": {
            one.name: {"looked_at": one.looked_at, "violations": len(one.violations)}
            for one in found.outcomes
        },
        "violations": [{"check": v.check, "id": v.id, "detail": v.detail} for v in violations],
        "injected": [
            {
                "name": one.name,
                "victims": one.victims,
                "at_s": one.at,
                "watched_s": one.watched_s,
                "gaps_s": dict(one.gaps),
                "waiting": one.waiting,
            }
            for one in found.injected
        ],
    }


def violations_of(found: Finding) -> list[Violation]:
    """Return what the checks found, and the faults after which something was not served in time."""
    late = [
        Violation(
            "back_in_time",
            f"{one.name} at {one.at:.0f} s",
            f"without service for {one.longest:.1f} s, stated are {one.stated_s:.0f} s"
            + (f"; not served again: {', '.join(one.waiting)}" if one.waiting else ""),
        )
        for one in found.injected
        if not one.in_time
    ]
    return [
        *(violation for outcome in found.outcomes for violation in outcome.violations),
        *late,
        *_proves_nothing(found),
    ]


def _proves_nothing(found: Finding) -> Iterator[Violation]:
    """Name what did not happen at all: a run without it would be green whatever is broken."""
    if not found.injected:
        yield Violation("run", "faults", "none was injected")
    ends = found.evidence.facts.events.ends.values()
    if not any(one.completed for one in ends):
        yield Violation("run", "checkouts", "none was completed")
    if not any(one.failed for one in ends):
        yield Violation("run", "checkouts", "none failed, though some cards are bad")


def by_kind(injected: Sequence[Injected]) -> dict[str, list[Injected]]:
    """Return the faults by their kind."""
    kinds: dict[str, list[Injected]] = {}
    for one in injected:
        kinds.setdefault(one.name, []).append(one)
    return dict(sorted(kinds.items()))


def kind_figures(some: Sequence[Injected]) -> dict[str, Any]:
    """Return how often, and per canary the median and the longest time without service, in seconds."""
    canaries = some[0].gaps
    return {
        "count": len(some),
        "stated_s": some[0].stated_s,
        **{
            canary: {
                "p50_s": round(statistics.median(one.gaps[canary] for one in some), 2),
                "max_s": max(one.gaps[canary] for one in some),
            }
            for canary in canaries
        },
    }


def print_report(console: Console, found: Finding) -> None:
    """Print the tables, and the violations."""
    told = figures(found)
    console.print(_faults(told))
    console.print(_checks(found.outcomes))
    summary = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name in (
        "seed",
        "faults",
        "accepted_commands",
        "checkouts",
        "completed",
        "failed",
        "repeated_outputs",
        "losses",
        "doubles",
        "longest_unavailability_s",
    ):
        summary.add_row(name.replace("_", " "), f"{told[name]:,}" if name != "seed" else str(told[name]))
    summary.add_row("answers", ", ".join(f"{what}: {n:,}" for what, n in sorted(told["answers"].items())))
    console.print(summary)
    for text in found.journal.unexpected[:_SHOWN]:
        console.print(f"unexpected: {text}", markup=False, soft_wrap=True)
    violations = told["violations"]
    for one in violations[:_SHOWN]:
        text = f"{one['check']} {one['id']}: {one['detail']}"
        console.print(text, style="red", markup=False, soft_wrap=True)
    if len(violations) > _SHOWN:
        console.print(f"... and {len(violations) - _SHOWN} more (--json lists them all)")
    if not violations:
        console.print("[green]nothing lost, nothing doubled[/green]")


def _faults(told: dict[str, Any]) -> Table:
    table = Table("fault", "times", title="longest time without a served canary, in s (p50 / max)")
    canaries: Sequence[str] = ()
    for name, kind in told["kinds"].items():
        if not canaries:
            canaries = [key for key, value in kind.items() if isinstance(value, dict)]
            for canary in canaries:
                table.add_column(canary, justify="right")
            table.add_column("stated", justify="right")
        cells = [f"{kind[canary]['p50_s']:.1f} / {kind[canary]['max_s']:.1f}" for canary in canaries]
        table.add_row(name, str(kind["count"]), *cells, f"{kind['stated_s']:.0f}")
    return table


def _checks(outcomes: Sequence[Outcome]) -> Table:
    table = Table("", "check", "what holds", "looked at", "violations")
    for one in outcomes:
        sign = "[red]✗[/red]" if one.violations else "[green]✓[/green]"
        table.add_row(sign, one.name, one.title, f"{one.looked_at:,}", str(len(one.violations) or ""))
    return table
