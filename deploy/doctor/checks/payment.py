"""Payments against orders: whose money we hold."""

from deploy.doctor.check import Breaches, Check
from deploy.doctor.facts import Facts
from schemas.order import OrderKind
from streams.inventory.settings import AllocationSettings
from tables.payment import PAYMENT

_ENDS: dict[tuple[str, str], tuple[str | None, ...]] = {
    (OrderKind.SALE, "placed"): (None, "authorised", "failed"),
    (OrderKind.SALE, "confirmed"): ("captured",),
    (OrderKind.SALE, "processing"): ("captured",),
    (OrderKind.SALE, "shipped"): ("captured",),
    (OrderKind.SALE, "delivered"): ("captured",),
    (OrderKind.SALE, "cancelled"): (None, "failed", "voided", "refunded"),
    (OrderKind.SALE, "refunded"): ("refunded",),
    (OrderKind.RETURN, "returned"): (None, "failed"),
    (OrderKind.RETURN, "refunded"): ("credited",),
}
"""Where the newest payment event may stand, by the order's kind and status, when nothing is under way."""


_TAKEN = frozenset({"authorised", "captured", "refunded"})


def captures(facts: Facts) -> Breaches:
    """Name orders whose payment is captured more than once."""
    for order_id, events in facts.events.captures.items():
        if len(events) > 1:
            yield order_id, f"was captured {len(events)} times: {', '.join(sorted(events))}"


def settled(facts: Facts) -> Breaches:
    """Name orders where money is held without a right to it, or not held though it is due.

    An order whose operation the provider has not answered yet is on its way, and left alone.
    """
    for order_id, history in facts.events.orders.items():
        payment = facts.tables[PAYMENT].get(order_id)
        if payment is not None and payment.pending is not None:
            continue
        paid = facts.events.payments.get(order_id)
        status = paid.newest["status"] if paid else None
        order = history.newest
        allowed = _ENDS.get((order["kind"], order["status"]), ())
        if status not in allowed:
            stands = f"its payment is {status}" if status else "it has no payment"
            yield order_id, f"the {order['kind']} is {order['status']}, but {stands}"
    for order_id in facts.events.payments.keys() - facts.events.orders.keys():
        yield order_id, "has a payment and no order"


def consented(facts: Facts) -> Breaches:
    """Name orders that charge another total than their buyer agreed to; a shop may let lower ones pass."""
    lower_passes = AllocationSettings().lower_total_passes
    for order_id, history in facts.events.orders.items():
        shown = history.newest.get("consented")
        paid = facts.events.payments.get(order_id)
        if shown is None or paid is None or paid.newest["status"] not in _TAKEN:
            continue
        charged = paid.newest["amount"]
        if charged != shown and not (lower_passes and charged < shown):
            yield order_id, f"is charged {charged}, its buyer agreed to {shown}"


CHECKS = (
    Check(
        "captured_once",
        "at most one captured payment per order",
        lambda facts: len(facts.events.captures),
        captures,
    ),
    Check(
        "captured_iff_confirmed",
        "captured and not refunded if and only if confirmed or later",
        lambda facts: len(facts.events.orders),
        settled,
    ),
    Check(
        "charged_as_shown",
        "no order is charged another total than its buyer agreed to",
        lambda facts: sum(
            history.newest.get("consented") is not None for history in facts.events.orders.values()
        ),
        consented,
    ),
)
