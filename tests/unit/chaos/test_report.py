import io

import msgspec
from rich.console import Console

from deploy.doctor.check import Outcome, Violation
from tests.chaos.injection import Injected
from tests.chaos.report import figures, print_report, violations_of
from tests.chaos.run import Finding, Plan
from tests.unit.chaos.test_verdict import seen, told


def injected(longest: float, waiting: tuple[str, ...] = ()) -> Injected:
    gaps = {"cart": longest, "view": 0.5}
    return Injected("worker killed", ("worker-0",), 3.0, 9.0, gaps, stated_s=30, waiting=waiting)


def finding(*faults: Injected, violations: tuple[Violation, ...] = ()) -> Finding:
    outcomes = [Outcome("commands_answered", "every accepted command has its outcome", 5, violations)]
    return Finding(Plan(seconds=60, seed=7), told(), faults, outcomes, seen(), 70.0)


def test_a_sound_run_has_no_violation_and_says_so() -> None:
    found = finding(injected(4.0), injected(8.0))
    assert violations_of(found) == []
    out = io.StringIO()
    print_report(Console(file=out, width=150), found)
    assert "nothing lost, nothing doubled" in out.getvalue()
    assert "6.0 / 8.0" in out.getvalue()


def test_the_object_for_machines_has_the_tables_figures() -> None:
    lost = Violation("commands_answered", "c1", "nothing came of it")
    data = msgspec.json.decode(msgspec.json.encode(figures(finding(injected(4.0), violations=(lost,)))))
    assert (data["seed"], data["faults"], data["checkouts"], data["losses"], data["doubles"]) == (
        7,
        1,
        2,
        1,
        0,
    )
    assert data["kinds"]["worker killed"]["cart"] == {"p50_s": 4.0, "max_s": 4.0}
    assert data["longest_unavailability_s"] == 4.0
    assert data["violations"] == [{"check": "commands_answered", "id": "c1", "detail": "nothing came of it"}]


def test_what_is_not_back_within_the_stated_time_is_a_violation() -> None:
    (late,) = violations_of(finding(injected(31.0)))
    assert (late.check, late.id) == ("back_in_time", "worker killed at 3 s")
    (never,) = violations_of(finding(injected(20.0, ("cart 2",))))
    assert "cart 2" in never.detail


def test_a_run_in_which_nothing_happened_proves_nothing() -> None:
    assert [one.id for one in violations_of(finding())] == ["faults"]
    found = finding(injected(1.0))
    found.evidence.facts.events.ends.clear()
    assert [one.check for one in violations_of(found)] == ["run", "run"]
