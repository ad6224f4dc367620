"""Every check holds on healthy facts, looks at something, and fails on facts that break it."""

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from deploy.doctor.check import Violation, examine
from deploy.doctor.facts import Facts
from deploy.doctor.gathered import CHECKS
from schemas.domains import declared
from schemas.order import OrderStatus
from schemas.payment import PaymentOperation, PaymentStatus
from sinks import views
from tables.cart import CART
from tables.inventory.stock import STOCK
from tables.order import ORDER
from tables.payment import PAYMENT, Pending
from tests.unit.deploy.doctor.healthy import (
    BACK,
    FAILED,
    NOW,
    PLACED,
    SOLD,
    healthy,
    line,
    moved,
    order_data,
    payment_data,
    state,
)


def violations(facts: Facts) -> list[Violation]:
    return [violation for outcome in examine(facts, CHECKS) for violation in outcome.violations]


def stock(facts: Facts, **given: object) -> None:
    facts.tables[STOCK]["A"] = msgspec.structs.replace(facts.tables[STOCK]["A"], **given)


def apart_from_these() -> set[str]:
    """The checks whose module has tests of its own, `test_<module>_checks.py`."""
    modules = [path.stem[5:-7] for path in Path(__file__).parent.glob("test_*_checks.py")]
    return {
        check.name for name in modules for check in declared(f"deploy.doctor.checks.{name}", "CHECKS", tuple)
    }


def test_healthy_facts_have_no_violation_and_every_check_looks_at_something() -> None:
    outcomes = examine(healthy(), CHECKS)
    assert violations(healthy()) == []
    assert {outcome.name for outcome in outcomes if not outcome.looked_at} <= apart_from_these()


def test_every_check_is_broken_by_one_of_these_tests() -> None:
    assert {check for check, *_ in BROKEN} | apart_from_these() == {check.name for check in CHECKS}


def _confirm_without_table(facts: Facts) -> None:
    facts.events.orders[PLACED].add(31, "p31", order_data("confirmed", lines=[line(1, 150)]))


def _late(facts: Facts) -> None:
    facts.events.started[PLACED] = NOW - 11_000


def _twice_completed(facts: Facts) -> None:
    facts.events.ends[SOLD].completed.add("e9")


def _both_ends(facts: Facts) -> None:
    facts.events.ends[SOLD].failed.add("e9")


def _never_started(facts: Facts) -> None:
    del facts.events.started[SOLD]


def _gap(facts: Facts) -> None:
    facts.events.orders[SOLD].add(13, "s13", order_data("shipped"))


def _contradiction(facts: Facts) -> None:
    facts.events.orders[SOLD].add(11, "other", order_data("cancelled"))


def _payment_gap(facts: Facts) -> None:
    facts.events.payments[BACK].add(43, "pb43", payment_data("credited"))


def _product_gap(facts: Facts) -> None:
    facts.events.products["A"].add(3, "a3", {})


def _captured_twice(facts: Facts) -> None:
    facts.events.captures[SOLD].add("ps13")


def _paid_for_a_failed_order(facts: Facts) -> None:
    facts.events.payments[FAILED].add(21, "pf21", payment_data("captured"))


def _not_captured(facts: Facts) -> None:
    facts.events.payments[SOLD].add(13, "ps13", payment_data("voided"))


def _paid_for_nothing(facts: Facts) -> None:
    facts.events.payments["nobody"].add(1, "n1", payment_data("authorised"))


def _failed_still_reserved(facts: Facts) -> None:
    facts.events.ends[PLACED].failed.add("e7")


def _confirmed_still_reserved(facts: Facts) -> None:
    facts.events.orders[PLACED].add(31, "p31", order_data("confirmed"))


def _reserved_for_nobody(facts: Facts) -> None:
    del facts.events.orders[PLACED]


def _lost_reservation(facts: Facts) -> None:
    facts.tables.reservations["A"].clear()


def _reserved_of_nothing(facts: Facts) -> None:
    facts.tables.reservations["B"] = facts.tables.reservations["A"]


def _lost_movement(facts: Facts) -> None:
    facts.events.movements["A"].add(9, moved("receive", 5))


def _movement_without_table(facts: Facts) -> None:
    facts.events.movements["B"].add(1, moved("receive", 5))


def _table_without_movement(facts: Facts) -> None:
    del facts.events.movements["A"]


def _doubled_commit(facts: Facts) -> None:
    stock(facts, committed=4, on_hand=5)


def _old_table(facts: Facts) -> None:
    facts.tables[ORDER][SOLD] = state(OrderStatus.PLACED, 10)


def _table_without_event(facts: Facts) -> None:
    facts.tables[ORDER]["ghost"] = state(OrderStatus.PLACED, 1)


def _old_payment(facts: Facts) -> None:
    payment = facts.tables[PAYMENT][SOLD]
    facts.tables[PAYMENT][SOLD] = msgspec.structs.replace(payment, status=PaymentStatus.AUTHORISED)


BROKEN: list[tuple[str, str, str, Callable[[Facts], object]]] = [
    ("order_sums", SOLD, "its lines add up to 300", lambda f: f.events.orders[SOLD].newest.update(goods=299)),
    ("order_sums", SOLD, "total is 351", lambda f: f.views.orders[SOLD].update(total=351)),
    ("view_orders", SOLD, "lines", lambda f: f.views.orders[SOLD].update(lines="others")),
    ("view_orders", SOLD, "country 'FR'", lambda f: f.views.orders[SOLD].update(country="FR")),
    ("view_orders", SOLD, "placed_at", lambda f: f.views.orders[SOLD].update(placed_at=NOW + 1)),
    ("view_stock", "A", "movements 6, not 7", lambda f: f.views.stock_levels["A"].update(movements=6)),
    (
        "positions",
        "streams order.placed/1",
        "beyond",
        lambda f: f.faults.update({"streams order.placed/1": "beyond"}),
    ),
    ("lag", "streams order.placed/0", "3 records", lambda f: f.lag.update({"streams order.placed/0": 3})),
    (
        "rest",
        "ecommerce.order.placed",
        "while the doctor looked",
        lambda f: f.moving.append("ecommerce.order.placed"),
    ),
    (
        "topics",
        "ecommerce.cart.add",
        "partitions is 1, must be 4",
        lambda f: f.topic_differences.append("ecommerce.cart.add: partitions is 1, must be 4"),
    ),
    ("stock_levels", "A", "on_hand 8 is not", lambda f: stock(f, on_hand=8)),
    ("stock_levels", "A", "reserved 2 is not the 1", lambda f: stock(f, reserved=2)),
    ("stock_levels", "A", "is not between 0 and on_hand 0", lambda f: stock(f, on_hand=0, committed=9)),
    ("stock_levels", "A", "is not between 0", lambda f: stock(f, reserved=-1)),
    ("stock_levels", "A", "counts 1 reservations, 0 are in the table", _lost_reservation),
    ("stock_levels", "B", "has 1 reservations and no stock", _reserved_of_nothing),
    ("stock_movements", "A", "jumps to version 9", _lost_movement),
    ("stock_movements", "A", "the table is at version 6", lambda f: stock(f, version=6)),
    ("stock_movements", "A", "committed is 4, its movements add up to 2", _doubled_commit),
    (
        "stock_movements",
        "A",
        "received is 8, its movements add up to 9",
        lambda f: stock(f, received=8, on_hand=6),
    ),
    ("stock_movements", "B", "is not in the table", _movement_without_table),
    ("stock_movements", "A", "the topic has no movement", _table_without_movement),
    ("reservations", PLACED, "its checkout failed", _failed_still_reserved),
    ("reservations", PLACED, "the order is confirmed", _confirmed_still_reserved),
    ("reservations", PLACED, "the order is unknown", _reserved_for_nobody),
    ("checkouts_end", PLACED, "11 s after its deadline", _late),
    ("checkouts_end_once", SOLD, "is both completed and failed", _both_ends),
    ("checkouts_end_once", SOLD, "is completed 2 times", _twice_completed),
    ("checkouts_end_once", SOLD, "was never started", _never_started),
    ("order_versions", SOLD, "has no event of version 12", _gap),
    ("order_versions", SOLD, "has two events of version 11", _contradiction),
    ("payment_versions", BACK, "has no event of version 42", _payment_gap),
    ("product_versions", "A", "has no event of version 2", _product_gap),
    ("captured_once", SOLD, "was captured 2 times", _captured_twice),
    (
        "captured_iff_confirmed",
        FAILED,
        "the sale is cancelled, but its payment is captured",
        _paid_for_a_failed_order,
    ),
    ("captured_iff_confirmed", SOLD, "the sale is confirmed, but its payment is voided", _not_captured),
    (
        "captured_iff_confirmed",
        PLACED,
        "the sale is confirmed, but it has no payment",
        _confirm_without_table,
    ),
    ("captured_iff_confirmed", "nobody", "has a payment and no order", _paid_for_nothing),
    (
        "charged_as_shown",
        SOLD,
        "is charged 350, its buyer agreed to 340",
        lambda f: f.events.orders[SOLD].newest.update(consented=340),
    ),
    (
        "charged_as_shown",
        SOLD,
        "is charged 350, its buyer agreed to 360",
        lambda f: f.events.orders[SOLD].newest.update(consented=360),
    ),
    ("tables_follow_topics", SOLD, "the table says placed v10", _old_table),
    ("tables_follow_topics", "ghost", "no event tells of it", _table_without_event),
    ("tables_follow_topics", SOLD, "the payment table says authorised", _old_payment),
    (
        "view_stock",
        "A",
        "stock_levels shows reserved 2, not 1",
        lambda f: f.views.stock_levels["A"].update(reserved=2),
    ),
    ("view_stock", "Z", "is in stock_levels and nowhere else", lambda f: f.views.stock_levels.update(Z={})),
    ("view_products", "A", "is not in products", lambda f: f.views.products.clear()),
    ("view_products", "A", "price 151, not 150", lambda f: f.views.products["A"].update(price=151)),
    ("view_orders", SOLD, "total 349, not 350", lambda f: f.views.orders[SOLD].update(total=349)),
    ("view_orders", SOLD, "lines_total 299, not 300", lambda f: f.views.orders[SOLD].update(lines_total=299)),
    ("view_orders", BACK, "is not in orders", lambda f: f.views.orders.pop(BACK)),
    ("view_orders", "ghost", "is in orders and nowhere else", lambda f: f.views.orders.update(ghost={})),
    ("view_payments", SOLD, "status 'voided'", lambda f: f.views.payments[SOLD].update(status="voided")),
    ("view_carts", "c", "is not in Redis", lambda f: f.views.carts.clear()),
    ("view_carts", "c", "version 4, not 5", lambda f: f.views.carts["c"].update(version=4)),
    (
        "view_found_products",
        "A",
        "available 5, not 6",
        lambda f: (f.views.found_products or {})["A"].update(available=5),
    ),
    (
        "view_found_orders",
        SOLD,
        "status 'placed'",
        lambda f: (f.views.found_orders or {})[SOLD].update(status="placed"),
    ),
]


@pytest.mark.parametrize(("check", "key", "detail", "break_"), BROKEN)
def test_names_what_is_broken(check: str, key: str, detail: str, break_: Callable[[Facts], object]) -> None:
    facts = healthy()
    break_(facts)
    found = [violation for violation in violations(facts) if violation.check == check]
    assert any(violation.id == key and detail in violation.detail for violation in found), found


def test_a_payment_under_way_is_left_alone() -> None:
    facts = healthy()
    facts.events.payments[SOLD].add(13, "ps13", payment_data("authorised"))
    pending = Pending(PaymentOperation.CAPTURE, 3, NOW)
    facts.tables[PAYMENT][SOLD] = msgspec.structs.replace(facts.tables[PAYMENT][SOLD], pending=pending)
    assert "captured_iff_confirmed" not in {violation.check for violation in violations(facts)}


def test_the_same_event_twice_is_one() -> None:
    facts = healthy()
    facts.events.orders[SOLD].add(11, "s11", order_data("confirmed"))
    facts.events.movements["A"].add(7, moved("reserve", 1))
    assert violations(facts) == []


def test_views_may_keep_what_left_the_tables() -> None:
    facts = healthy()
    facts.tables[ORDER].clear()
    facts.tables[PAYMENT].clear()
    facts.tables[CART].clear()
    assert violations(facts) == []


def test_elasticsearch_is_not_asked_for_where_it_is_not_configured() -> None:
    facts = healthy()
    facts.views.found_orders = facts.views.found_products = None
    assert violations(facts) == []


def test_what_mends_a_view_names_views_that_can_be_rebuilt() -> None:
    ways = [check.way for check in CHECKS if check.name.startswith("view_")]
    assert all(ways)
    named = [name for way in ways for name in re.findall(r"rebuild (\S+) --yes", way)]
    assert len(named) > len(ways)
    assert set(named) <= set(views.names())
