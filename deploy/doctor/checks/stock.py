"""Stock: what the levels must add up to, and who may hold a reservation."""

from deploy.doctor.check import Breaches, Check
from deploy.doctor.facts import Facts
from schemas.inventory import MovementKind
from tables.inventory.stock import STOCK


def levels(facts: Facts) -> Breaches:
    """Name levels that do not add up, or are out of their bounds."""
    for sku, stock in facts.tables[STOCK].items():
        entries = facts.tables.reservations.get(sku, {})
        held = sum(reservation.quantity for reservation in entries.values())
        if stock.open != len(entries):
            yield sku, f"counts {stock.open} reservations, {len(entries)} are in the table"
        if stock.on_hand != stock.received - stock.committed:
            yield (
                sku,
                f"on_hand {stock.on_hand} is not received {stock.received} - {stock.committed} committed",
            )
        if stock.reserved != held:
            yield (
                sku,
                f"reserved {stock.reserved} is not the {held} of its {len(entries)} reservations",
            )
        if not 0 <= stock.reserved <= stock.on_hand:
            yield sku, f"reserved {stock.reserved} is not between 0 and on_hand {stock.on_hand}"
    for sku, entries in facts.tables.reservations.items():
        if entries and sku not in facts.tables[STOCK]:
            yield sku, f"has {len(entries)} reservations and no stock"


def movements(facts: Facts) -> Breaches:
    """Name levels that are not the sum of their movements, and gaps among those."""
    for sku, moved in facts.events.movements.items():
        sums = moved.sums
        for version in moved.gaps:
            yield sku, f"inventory.updated jumps to version {version}"
        stock = facts.tables[STOCK].get(sku)
        if stock is None:
            yield sku, f"has movements up to version {moved.version} and is not in the table"
            continue
        if stock.version != moved.version:
            yield sku, f"the table is at version {stock.version}, the topic at {moved.version}"
        expected = {
            "received": sums[MovementKind.RECEIVE] + sums[MovementKind.ADJUST],
            "committed": sums[MovementKind.COMMIT],
            "reserved": (sums[MovementKind.RESERVE] - sums[MovementKind.RELEASE] - sums[MovementKind.COMMIT]),
        }
        for name, pieces in expected.items():
            if getattr(stock, name) != pieces:
                yield sku, f"{name} is {getattr(stock, name)}, its movements add up to {pieces}"
    for sku, stock in facts.tables[STOCK].items():
        if stock.version and sku not in facts.events.movements:
            yield sku, f"is at version {stock.version} and the topic has no movement"


def reservations(facts: Facts) -> Breaches:
    """Name reservations of orders that are no longer placed.

    A failed order's are released, a confirmed one's committed.
    """
    for sku, entries in facts.tables.reservations.items():
        for order_id, held in entries.items():
            history = facts.events.orders.get(order_id)
            status = history.newest["status"] if history else "unknown"
            failed = order_id in facts.events.ends and facts.events.ends[order_id].failed
            if status != "placed" or failed:
                ended = "its checkout failed" if failed else f"the order is {status}"
                yield order_id, f"still holds {held.quantity} of {sku}, but {ended}"


CHECKS = (
    Check(
        "stock_levels",
        "on_hand = received - committed, reserved = open reservations, 0 <= reserved <= on_hand",
        lambda facts: len(facts.tables[STOCK]),
        levels,
    ),
    Check(
        "stock_movements",
        "every level is the sum of its movements, without a gap",
        lambda facts: sum(moved.version for moved in facts.events.movements.values()),
        movements,
    ),
    Check(
        "reservations",
        "no reservation outlives its order's checkout",
        lambda facts: sum(map(len, facts.tables.reservations.values())),
        reservations,
    ),
)
