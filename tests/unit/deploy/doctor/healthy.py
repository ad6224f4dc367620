"""Facts of a healthy system, small: a sale, a failed one, one under way, a return. Tests break one thing."""

from typing import Any

from deploy.doctor.checks.views import lines_digest
from deploy.doctor.facts import Facts
from schemas.inventory import QuotedLine
from schemas.order import OrderKind, OrderSnapshot, OrderStatus
from schemas.payment import PaymentStatus
from schemas.product import ProductSnapshot
from tables.cart import CART, Cart
from tables.inventory.stock import STOCK, Reservation, Stock
from tables.order import ORDER, Order
from tables.parts import Parts
from tables.payment import PAYMENT, Goal, Payment
from tables.product import PRODUCT, Product

NOW = 1_700_000_000_000
SOLD, FAILED, PLACED, BACK = "sold", "failed", "placed", "back"


def line(quantity: int, price: int | None) -> dict[str, Any]:
    return {"line_id": "1", "sku": "A", "quantity": quantity, "unit_price": price}


def order_data(
    status: str, *, kind: str = "sale", lines: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    chosen = [line(2, 150)] if lines is None else lines
    goods = sum(one["quantity"] * (one["unit_price"] or 0) for one in chosen)
    charges = [{"code": "POST", "quantity": 1, "amount": 50}] if goods else []
    charged = 50 if goods else 0
    return {
        "kind": kind,
        "status": status,
        "currency": "GBP",
        "lines": chosen,
        "charges": charges,
        "goods": goods,
        "charged": charged,
        "total": goods + charged,
        "consented": goods + charged if kind == "sale" else None,
        "placed_at": NOW,
        "address": {"country": "GB"},
    }


def payment_data(status: str) -> dict[str, Any]:
    return {
        "status": status,
        "amount": 350,
        "currency": "GBP",
        "attempts": 1,
        "provider_reference": "ref",
    }


def moved(kind: str, quantity: int) -> dict[str, Any]:
    return {"movement": {"kind": kind, "quantity": quantity}}


def state(status: OrderStatus, version: int) -> Order:
    snapshot = OrderSnapshot(
        kind=OrderKind.SALE,
        status=status,
        cart_id="c",
        user_id=None,
        email=None,
        address=None,
        currency="GBP",
        lines=(),
        charges=(),
        goods=300,
        charged=50,
        total=350,
        payment_token="t",
        placed_at=NOW,
        updated_at=NOW,
    )
    return Order(snapshot, version)


def healthy() -> Facts:
    """Return the facts: `placed` still holds one piece of A, whose checkout is not over yet."""
    facts = Facts(now=NOW, partitions=4, topics=9, lag={"streams order.placed/0": 0})
    _topics(facts)
    _tables(facts)
    _views(facts)
    return facts


def _topics(facts: Facts) -> None:
    events = facts.events
    events.started = {SOLD: NOW - 60_000, FAILED: NOW - 60_000, PLACED: NOW + 60_000}
    events.ends[SOLD].completed.add("e1")
    events.ends[FAILED].failed.add("e2")
    for version, status in ((10, "placed"), (11, "confirmed")):
        events.orders[SOLD].add(version, f"s{version}", order_data(status))
    for version, status in ((20, "placed"), (21, "cancelled")):
        events.orders[FAILED].add(version, f"f{version}", order_data(status, lines=[line(9, None)]))
    events.orders[PLACED].add(30, "p30", order_data("placed", lines=[line(1, None)]))
    for version, status in ((40, "returned"), (41, "refunded")):
        events.orders[BACK].add(version, f"b{version}", order_data(status, kind="return"))
    for version, status in ((11, "authorised"), (12, "captured")):
        events.payments[SOLD].add(version, f"ps{version}", payment_data(status))
    events.payments[BACK].add(41, "pb41", payment_data("credited"))
    events.captures[SOLD].add("ps12")
    events.products["A"].add(1, "a1", {})
    movements = (
        ("receive", 10),
        ("adjust", -1),
        ("reserve", 2),
        ("commit", 2),
        ("reserve", 3),
        ("release", 3),
    )
    for version, (kind, quantity) in enumerate((*movements, ("reserve", 1)), start=1):
        events.movements["A"].add(version, moved(kind, quantity))
    events.carts["c"] = 5, {"status": "open", "lines": []}


def _tables(facts: Facts) -> None:
    tables = facts.tables
    quoted = QuotedLine("1", "A", "Lamp", 1, 150)
    tables[STOCK]["A"] = Stock(
        version=7,
        on_hand=7,
        reserved=1,
        received=9,
        committed=2,
        open=1,
        orders=Parts(1),
    )
    tables.reservations["A"] = {PLACED: Reservation(1, (quoted,))}
    snapshot = ProductSnapshot("Lamp", "", (), 150, "GBP", 1, active=True, created_at=1, updated_at=1)
    tables[PRODUCT]["A"] = Product(snapshot, 1)
    tables[ORDER][SOLD] = state(OrderStatus.CONFIRMED, 11)
    tables[PAYMENT][SOLD] = Payment(PaymentStatus.CAPTURED, Goal.CAPTURED, 12, NOW)
    tables[CART]["c"] = Cart(version=5, updated_at=NOW)


def _views(facts: Facts) -> None:
    views = facts.views
    views.stock_levels["A"] = {
        "on_hand": 7,
        "reserved": 1,
        "available": 6,
        "received": 9,
        "committed": 2,
        "version": 7,
        "movements": 7,
    }
    product = {"name": "Lamp", "price": 150, "currency": "GBP", "active": True, "version": 1}
    views.products["A"] = dict(product)
    for order_id, history in facts.events.orders.items():
        data = history.newest
        goods, charged = data["goods"], data["charged"]
        views.orders[order_id] = {
            **{name: data[name] for name in ("kind", "status", "currency", "goods", "charged", "total")},
            "version": history.version,
            "country": "GB",
            "placed_at": NOW,
            "lines": lines_digest(data["lines"]),
            "line_count": 1,
            "lines_total": goods,
            "charges_total": charged,
        }
    for order_id, history in facts.events.payments.items():
        views.payments[order_id] = {**history.newest, "version": history.version}
    views.carts["c"] = {"version": 5, "status": "open", "line_count": 0}
    views.found_products = {"A": {**product, "available": 6}}
    views.found_orders = {key: dict(row) for key, row in views.orders.items()}
