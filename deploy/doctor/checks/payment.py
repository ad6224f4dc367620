"""Payments against orders: whose money we hold."""

from deploy.doctor.check import Breaches, Check
from deploy.doctor.facts import Facts
from schemas.order import OrderKind

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
        payment = facts.tables.payment.get(order_id)
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
)
