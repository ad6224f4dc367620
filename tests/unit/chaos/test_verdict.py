"""The verifier names what was lost, doubled or does not add up, and is silent where all is well."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.evidence import Account, Evidence
from tests.chaos.journal import Journal
from tests.chaos.verdict import judge

SOLD, DECLINED = "sold", "declined"
HELD = Account(currency="GBP", captured=300, given_back=0, captures=1, holds=1, voided=False)
OURS = frozenset(
    {
        "commands_answered",
        "accepted_checkouts_end",
        "carts_bought",
        "books_match",
        "books_total",
        "provider_captured_once",
        "stock_outside",
        "no_dead_letters",
        "all_running",
    }
)


def order(status: str) -> dict[str, Any]:
    lines = [{"line_id": "A", "sku": "A", "quantity": 2, "unit_price": 150}]
    return {
        "kind": "sale",
        "status": status,
        "currency": "GBP",
        "address": None,
        "placed_at": 1,
        "lines": lines,
        "charges": [],
        "goods": 300,
        "charged": 0,
        "total": 300,
    }


def told() -> Journal:
    journal = Journal()
    for number, key in enumerate((SOLD, DECLINED), start=1):
        journal.accept(f"add-{number}", "cart.add", f"cart-{key}")
        journal.accept(f"buy-{number}", "checkout", key)
        journal.fill(f"cart-{key}", "A", 2)
        journal.buy(f"cart-{key}", key)
    journal.accept("receive-1", "inventory.receive", "A")
    journal.received["A"] = 10
    return journal


def seen() -> Evidence:
    evidence = Evidence(caused={"add-1", "add-2", "buy-1", "buy-2", "receive-1"}, books={SOLD: HELD})
    events = evidence.facts.events
    for version, (key, status) in enumerate(((SOLD, "confirmed"), (DECLINED, "cancelled")), start=1):
        events.started[key] = 0
        events.orders[key].add(version, f"{key}-{status}", order(status))
    events.ends[SOLD].completed.add("end-1")
    events.ends[DECLINED].failed.add("end-2")
    evidence.facts.views.stock_levels["A"] = {"on_hand": 8, "reserved": 0}
    return evidence


def found(journal: Journal, evidence: Evidence) -> dict[str, list[str]]:
    violations: dict[str, list[str]] = {}
    for outcome in judge(journal, evidence):
        for violation in outcome.violations:
            violations.setdefault(violation.check, []).append(f"{violation.id} {violation.detail}")
    return violations


def test_a_sound_run_has_no_violation_of_what_the_load_knows() -> None:
    assert found(told(), seen()).keys() & OURS == set()


def test_the_doctors_own_checks_take_part() -> None:
    evidence = seen()
    evidence.facts.events.captures[SOLD] |= {"capture-1", "capture-2"}
    assert "captured 2 times" in found(told(), evidence)["captured_once"][0]


def _lost_command(_: Journal, evidence: Evidence) -> None:
    evidence.caused.discard("add-1")


def _lost_checkout(_: Journal, evidence: Evidence) -> None:
    evidence.caused.discard("buy-1")
    del evidence.facts.events.started[SOLD], evidence.facts.events.ends[SOLD]


def _unended(_: Journal, evidence: Evidence) -> None:
    del evidence.facts.events.ends[DECLINED]


def _ended_twice(_: Journal, evidence: Evidence) -> None:
    evidence.facts.events.ends[SOLD].failed.add("end-3")


def _added_twice(_: Journal, evidence: Evidence) -> None:
    evidence.facts.events.orders[SOLD].newest["lines"][0]["quantity"] = 4


def _captured_twice(_: Journal, evidence: Evidence) -> None:
    evidence.books[SOLD] = replace(HELD, captures=2)


def _doubled_money(_: Journal, evidence: Evidence) -> None:
    evidence.books[SOLD] = replace(HELD, captured=600)


def _a_cent_short(_: Journal, evidence: Evidence) -> None:
    evidence.books[SOLD] = replace(HELD, captured=299)


def _kept_of_a_cancelled_order(_: Journal, evidence: Evidence) -> None:
    evidence.books[DECLINED] = HELD


def _still_held(_: Journal, evidence: Evidence) -> None:
    evidence.books[DECLINED] = replace(HELD, captured=0, captures=0)


def _unknown_payment(_: Journal, evidence: Evidence) -> None:
    evidence.books["nobody"] = replace(HELD, captured=0, captures=0, voided=True)


def _oversold(_: Journal, evidence: Evidence) -> None:
    evidence.facts.views.stock_levels["A"]["on_hand"] = 9


def _goods_lost(_: Journal, evidence: Evidence) -> None:
    evidence.facts.views.stock_levels["A"]["on_hand"] = 7


def _left_reserved(_: Journal, evidence: Evidence) -> None:
    evidence.facts.views.stock_levels["A"]["reserved"] = 2


def _receipt_twice(journal: Journal, _: Evidence) -> None:
    journal.received["A"] = 5


def _dead(_: Journal, evidence: Evidence) -> None:
    evidence.letters.append("ecommerce.dlq.cart/0/1 from ecommerce.cart.add: no")


def _down(_: Journal, evidence: Evidence) -> None:
    evidence.stopped.append("sink")


@pytest.mark.parametrize(
    ("breaks", "checks"),
    [
        (_lost_command, {"commands_answered"}),
        (_lost_checkout, {"commands_answered", "accepted_checkouts_end"}),
        (_unended, {"accepted_checkouts_end"}),
        (_ended_twice, {"accepted_checkouts_end"}),
        (_added_twice, {"carts_bought", "stock_outside"}),
        (_captured_twice, {"provider_captured_once"}),
        (_doubled_money, {"books_match", "books_total"}),
        (_a_cent_short, {"books_match", "books_total"}),
        (_kept_of_a_cancelled_order, {"books_match", "books_total"}),
        (_still_held, {"books_match"}),
        (_unknown_payment, {"books_match"}),
        (_oversold, {"stock_outside"}),
        (_goods_lost, {"stock_outside"}),
        (_left_reserved, {"stock_outside"}),
        (_receipt_twice, {"stock_outside"}),
        (_dead, {"no_dead_letters"}),
        (_down, {"all_running"}),
    ],
)
def test_what_is_broken_is_named(breaks: Callable[[Journal, Evidence], None], checks: set[str]) -> None:
    journal, evidence = told(), seen()
    breaks(journal, evidence)
    # The sum of all books follows from one order's, where that is what broke.
    assert found(journal, evidence).keys() & OURS - {"books_total"} == checks - {"books_total"}


def test_the_books_are_compared_to_the_cent() -> None:
    evidence = seen()
    _a_cent_short(told(), evidence)
    assert found(told(), evidence)["books_total"] == [
        "GBP confirmed orders are worth 300, the provider keeps 299"
    ]


def test_pieces_that_nobody_acknowledged_may_have_come_or_not() -> None:
    journal, evidence = told(), seen()
    journal.unsure["A"] = 3
    for on_hand in (8, 11):
        evidence.facts.views.stock_levels["A"]["on_hand"] = on_hand
        assert "stock_outside" not in found(journal, evidence)
    evidence.facts.views.stock_levels["A"]["on_hand"] = 12
    assert "stock_outside" in found(journal, evidence)


def test_a_checkout_that_the_last_line_began_counts_as_answered() -> None:
    journal, evidence = told(), seen()
    evidence.caused.discard("buy-1")
    assert "commands_answered" not in found(journal, evidence)
