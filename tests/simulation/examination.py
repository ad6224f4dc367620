"""What must hold when the world has come to rest: the doctor's own checks, and the provider's books."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from deploy.doctor.check import Check, examine
from deploy.doctor.checks import checkout, payment, stock, views
from deploy.doctor.facts import Facts, Row, Tables, Views
from deploy.doctor.topic_facts import load
from deploy.records.record import Record
from schemas.cart import CartStatus
from schemas.envelope import derived_id
from sinks.cart.projectors import cart_key
from sinks.inventory.projectors import stock_movement_row
from sinks.inventory.rows import STOCK_MOVEMENTS, StockLevelRow, StockMovementRow
from sinks.order.index import ORDERS
from sinks.order.rows import ORDER_CHARGES, ORDER_LINES, OrderChargeRow, OrderLineRow, OrderRow
from sinks.payment.rows import PaymentRow
from sinks.product.index import PRODUCTS
from sinks.product.rows import ProductRow
from tables.cart import CART
from tables.payment import PAYMENT
from tests.simulation.monitor import Monitor
from tests.simulation.world import World
from topics import registry as t
from topics.wire import decode

CHECKS: tuple[Check, ...] = (*checkout.CHECKS, *payment.CHECKS, *stock.CHECKS, *views.CHECKS)


def violations(world: World) -> list[str]:
    """Return what is wrong with a world at rest, in words."""
    found = [*world.monitor.violations, *world.gateway.violations]
    for changelog in world.cluster.changelogs.values():
        found += changelog.decided_again
    facts = facts_of(world)
    for outcome in examine(facts, CHECKS):
        found += [f"{outcome.title}: {each.id} {each.detail}" for each in outcome.violations]
    found += _checkouts(world.monitor, facts)
    found += _money(world, facts)
    found += _goods(world.monitor)
    found += _answers(world.monitor)
    found += _once(world)
    for rule in world.monitor.rules:
        found += rule.at_rest(facts)
    return [world.scene.names.spoken(each) for each in found]


def facts_of(world: World) -> Facts:
    """Return the world as the doctor would find the real one."""
    return Facts(
        now=world.scene.now,
        tables=_tables(world),
        events=world.monitor.events,
        views=_views(world, world.monitor.events.carts),
    )


def _tables(world: World) -> Tables:
    tables, _ = load(
        Record(world.cluster.flows[place.flow].table.changelog.name, place.partition, offset, 0, key, value)
        for place, changelog in world.cluster.changelogs.items()
        for offset, key, value in changelog.records
    )
    return tables


def _views(world: World, carts: dict[str, Any]) -> Views:
    rows = world.database.rows
    documents = world.documents
    return Views(
        products={row.sku: row._asdict() for row in _of(ProductRow, rows["products"].values())},
        stock_levels=_stock_levels(world),
        orders=_orders(world),
        payments={str(row.order_id): row._asdict() for row in _of(PaymentRow, rows["payments"].values())},
        carts={
            cart_id: {**cart, "line_count": len(cart["lines"])}
            for cart_id in carts
            if (found := world.carts.get(cart_key(cart_id))) is not None
            for cart in [msgspec.json.decode(found)]
        },
        found_products=documents.get(PRODUCTS.alias, {}),
        found_orders=documents.get(ORDERS.alias, {}),
    )


def _of(kind: type[Any], rows: Any) -> Iterator[Any]:
    yield from (row for row in rows if isinstance(row, kind))


def _stock_levels(world: World) -> dict[str, Row]:
    rows = world.database.rows
    movements = _of(StockMovementRow, rows[STOCK_MOVEMENTS.name].values())
    # An event that was sent again is here again, where the real table has a key.
    moved = Counter(sku for sku, _ in {(row.sku, row.version) for row in movements})
    return {
        row.sku: {**row._asdict(), "movements": moved[row.sku]}
        for row in _of(StockLevelRow, rows["stock_levels"].values())
    }


def _orders(world: World) -> dict[str, Row]:
    charges = world.database.owned(ORDER_CHARGES)
    lines = {
        order_id: list(_of(OrderLineRow, rows))
        for order_id, rows in world.database.owned(ORDER_LINES).items()
    }
    return {
        str(row.order_id): {
            **row._asdict(),
            "placed_at": round(row.placed_at.timestamp() * 1000),
            "lines": views.lines_digest([line._asdict() for line in lines.get(row.order_id, ())]),
            "line_count": len(lines.get(row.order_id, ())),
            "lines_total": sum(
                line.quantity * (line.unit_price or 0) for line in lines.get(row.order_id, ())
            ),
            "charges_total": sum(
                charge.quantity * charge.amount
                for charge in _of(OrderChargeRow, charges.get(row.order_id, ()))
            ),
        }
        for row in _of(OrderRow, world.database.rows["orders"].values())
    }


def _checkouts(monitor: Monitor, facts: Facts) -> Iterator[str]:
    """Every checkout that was asked for ends, in one way; and no cart stays frozen behind it."""
    for order_id in monitor.requested:
        ends = facts.events.ends.get(order_id)
        if ends is None or len(ends.completed) + len(ends.failed) != 1:
            yield f"every checkout asked for ends once: {order_id} has {ends}"
    for order_id in facts.events.ends.keys() - monitor.requested:
        yield f"nothing ends that nobody asked for: {order_id}"
    for cart_id, cart in facts.tables[CART].items():
        if cart.status is CartStatus.FROZEN:
            yield f"no cart stays frozen: {cart_id} is, for {cart.order_id}"


def _money(world: World, facts: Facts) -> Iterator[str]:
    """The provider's books agree with the orders, to the cent."""
    totals = world.monitor.totals
    undone = totals[t.ORDER_CANCELLED.name].keys() | totals[t.ORDER_REFUNDED.name].keys()
    confirmed = totals[t.ORDER_CONFIRMED.name]
    for order_id, held in world.provider.ledger.payments.items():
        kept = held.captured - held.refunded - held.credited
        if order_id in totals[t.ORDER_RETURNED.name]:
            due = -totals[t.ORDER_RETURNED.name][order_id] if order_id in undone else 0
        else:
            due = confirmed[order_id] if order_id in confirmed and order_id not in undone else 0
        if kept != due:
            yield f"captured and not refunded if and only if confirmed: {order_id} paid {kept} of {due}"
        if held.authorised and not held.voided and not held.captured:
            pending = facts.tables[PAYMENT].get(order_id)
            if pending is None or pending.pending is None:
                yield f"no money stays held: {held.authorised} of {order_id} is, and nobody uses it"
    for order_id, total in confirmed.items():
        if total and order_id not in undone and order_id not in world.provider.ledger.payments:
            yield f"a confirmed order is paid for: {order_id} is not"


def _goods(monitor: Monitor) -> Iterator[str]:
    """The goods of every confirmed order left the house, and came back where it was cancelled later."""
    cancelled = monitor.totals[t.ORDER_CANCELLED.name]
    for order_id, order in monitor.confirmed.items():
        wanted: dict[str, int] = defaultdict(int)
        for line in order["lines"]:
            wanted[line["sku"]] += line["quantity"]
        for sku, pieces in wanted.items():
            out = monitor.pieces[order_id, sku].get("out", 0)
            back = monitor.pieces[derived_id("cancellation", order_id, sku), sku].get("back", 0)
            due = 0 if order_id in cancelled else pieces
            if out - back != due:
                yield f"goods leave with their order: {out - back} of {sku} left for {order_id}, not {due}"


def _answers(monitor: Monitor) -> Iterator[str]:
    """Accepted + rejected = received: every command has exactly one kind of answer."""
    for event_id, topic in monitor.received.items():
        answers = monitor.answers.get(event_id, set())
        if not answers:
            yield f"accepted + rejected = received: a {topic} was never answered"
        elif len(answers) > 1 and event_id not in monitor.unknown:
            yield f"accepted + rejected = received: a {topic} was both accepted and refused"


def _once(world: World) -> Iterator[str]:
    """Every record of a movement is one row of the table that has no key: none is left out, none doubled."""
    written: Counter[StockMovementRow] = Counter(
        _of(StockMovementRow, world.database.rows[STOCK_MOVEMENTS.name].values())
    )
    told = Counter(
        stock_movement_row(decode(t.INVENTORY_UPDATED, record.value))[0]
        for (topic, _), log in world.scene.broker.logs().items()
        if topic == t.INVENTORY_UPDATED.name
        for record in log
        if record.value is not None
    )
    for row in sorted(written.keys() | told.keys(), key=lambda row: row[:5]):
        if written[row] != told[row]:
            yield (
                f"a movement is written as often as it was told: {row.kind} {row.reference} of {row.sku}"
                f" {written[row]} times, not {told[row]}"
            )
