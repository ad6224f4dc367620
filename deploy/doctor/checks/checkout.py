"""Checkouts: every one that began ends, in exactly one way; and events tell a story without gaps."""

from collections.abc import Mapping

from deploy.doctor.check import Breaches, Check
from deploy.doctor.facts import Facts, History

GRACE_MS = 10_000
"""A timer may be this late: it is looked at once a second and takes its turn among the records."""


def ended(facts: Facts) -> Breaches:
    """Name checkouts that started and have not ended though their deadline is over."""
    for order_id, deadline_at in facts.events.started.items():
        ends = facts.events.ends.get(order_id)
        if (ends is None or not (ends.completed or ends.failed)) and deadline_at + GRACE_MS < facts.now:
            late = (facts.now - deadline_at) / 1000
            yield order_id, f"started and has not ended, {late:.0f} s after its deadline"


def ended_once(facts: Facts) -> Breaches:
    """Name checkouts that are both completed and failed, or either of them twice."""
    for order_id, ends in facts.events.ends.items():
        if ends.completed and ends.failed:
            yield order_id, "is both completed and failed"
        for name, events in (("completed", ends.completed), ("failed", ends.failed)):
            if len(events) > 1:
                yield order_id, f"is {name} {len(events)} times: {', '.join(sorted(events))}"
        if ends.completed and order_id not in facts.events.started:
            yield order_id, "is completed and was never started"


def gapless(histories: Mapping[str, History]) -> Breaches:
    """Name gaps in versions, and versions with two events."""
    for key, history in histories.items():
        first, last = min(history.ids), history.version
        if missing := sorted(set(range(first, last + 1)) - history.ids.keys()):
            yield key, f"has no event of version {', '.join(map(str, missing[:5]))}"
        for version in history.contradictions:
            yield key, f"has two events of version {version}"


CHECKS = (
    Check(
        "checkouts_end",
        "every started checkout ends by its deadline",
        lambda facts: len(facts.events.started),
        ended,
    ),
    Check(
        "checkouts_end_once",
        "a checkout is either completed or failed, once",
        lambda facts: len(facts.events.ends),
        ended_once,
    ),
    Check(
        "order_versions",
        "an order's events are without gaps or contradictions",
        lambda facts: sum(len(history.ids) for history in facts.events.orders.values()),
        lambda facts: gapless(facts.events.orders),
    ),
    Check(
        "payment_versions",
        "a payment's events are without gaps or contradictions",
        lambda facts: sum(len(history.ids) for history in facts.events.payments.values()),
        lambda facts: gapless(facts.events.payments),
    ),
    Check(
        "product_versions",
        "a product's events are without gaps or contradictions",
        lambda facts: sum(len(history.ids) for history in facts.events.products.values()),
        lambda facts: gapless(facts.events.products),
    ),
)
