"""Views against tables and topics: the same things, in the same state."""

import hashlib
from collections.abc import Mapping, Sequence

from deploy.doctor.check import Breaches, Check
from deploy.doctor.facts import Facts, Row
from tables.cart import CART
from tables.inventory.stock import STOCK
from tables.order import ORDER
from tables.payment import PAYMENT
from tables.product import PRODUCT


def compared(wanted: Mapping[str, Row], has: Mapping[str, Row], view: str, *, extra: bool = True) -> Breaches:
    """Yield what the view lacks, shows otherwise, or (with `extra`) has and should not."""
    for key, row in wanted.items():
        shown = has.get(key)
        if shown is None:
            yield key, f"is not in {view}"
            continue
        differing = [
            f"{name} {shown.get(name)!r}, not {value!r}"
            for name, value in row.items()
            if shown.get(name) != value
        ]
        if differing:
            yield key, f"{view} shows {'; '.join(differing)}"
    for key in has.keys() - wanted.keys() if extra else ():
        yield key, f"is in {view} and nowhere else"


def tables_follow_topics(facts: Facts) -> Breaches:
    """Compare the order and payment tables with their newest events."""
    for order_id, order in facts.tables[ORDER].items():
        history = facts.events.orders.get(order_id)
        if history is None:
            yield order_id, "is in the order table and no event tells of it"
        elif (order.version, order.snapshot.status.value) != (history.version, history.newest["status"]):
            yield (
                order_id,
                (
                    f"the table says {order.snapshot.status} v{order.version}, "
                    f"the topics {history.newest['status']} v{history.version}"
                ),
            )
    for order_id, payment in facts.tables[PAYMENT].items():
        history = facts.events.payments.get(order_id)
        if history and (payment.version, payment.status.value) != (history.version, history.newest["status"]):
            yield (
                order_id,
                (
                    f"the payment table says {payment.status} v{payment.version}, "
                    f"the topics {history.newest['status']} v{history.version}"
                ),
            )


def stock_view(facts: Facts) -> Breaches:
    """Compare stock_levels with the stock table, and count each SKU's movements: every version is one."""
    wanted = {
        sku: {
            "on_hand": stock.on_hand,
            "reserved": stock.reserved,
            "available": stock.available,
            "received": stock.received,
            "committed": stock.committed,
            "version": stock.version,
            "movements": stock.version,
        }
        for sku, stock in facts.tables[STOCK].items()
        if stock.version
    }
    return compared(wanted, facts.views.stock_levels, "stock_levels")


def products_view(facts: Facts) -> Breaches:
    """Compare products with the product table."""
    return compared(_products(facts), facts.views.products, "products")


def orders_view(facts: Facts) -> Breaches:
    """Compare orders, and their lines and charges to the cent, with the newest event of every order."""
    wanted = {
        order_id: {
            **_chosen(history.newest, ("kind", "status", "currency", "goods", "charged", "total")),
            "version": history.version,
            "country": (history.newest["address"] or {}).get("country"),
            "placed_at": history.newest["placed_at"],
            "lines": lines_digest(history.newest["lines"]),
            "line_count": len(history.newest["lines"]),
            "lines_total": sum(
                line["quantity"] * (line["unit_price"] or 0) for line in history.newest["lines"]
            ),
            "charges_total": sum(
                charge["quantity"] * charge["amount"] for charge in history.newest["charges"]
            ),
        }
        for order_id, history in facts.events.orders.items()
    }
    return compared(wanted, facts.views.orders, "orders")


def lines_digest(lines: Sequence[Row]) -> str:
    """Return what tells an order's lines and prices from others; PostgreSQL makes the same of rows."""
    told = (
        "|".join(
            str(part)
            for part in (one["line_id"], one["sku"], one["quantity"], one["unit_price"])
            if part is not None
        )
        for one in sorted(lines, key=lambda one: one["line_id"])
    )
    return hashlib.md5(",".join(told).encode(), usedforsecurity=False).hexdigest() if lines else ""


def sums(facts: Facts) -> Breaches:
    """Name orders whose amounts are not the sums of their parts, in the newest event and in the view."""
    for order_id, history in facts.events.orders.items():
        order = history.newest
        goods = sum(line["quantity"] * (line["unit_price"] or 0) for line in order["lines"])
        charged = sum(charge["quantity"] * charge["amount"] for charge in order["charges"])
        yield from _sum(order_id, "its newest event", order, goods, charged)
        if (row := facts.views.orders.get(order_id)) is not None:
            yield from _sum(order_id, "orders", row, row["lines_total"], row["charges_total"])


def _sum(order_id: str, where: str, order: Row, goods: int, charged: int) -> Breaches:
    if (order["goods"], order["charged"]) != (goods, charged):
        says = f"goods are {order['goods']} and charges {order['charged']}"
        yield order_id, f"in {where} {says}, its lines add up to {goods}, its charges to {charged}"
    if order["total"] != order["goods"] + order["charged"]:
        yield order_id, f"in {where} total is {order['total']}, goods and charges are {goods + charged}"


def payments_view(facts: Facts) -> Breaches:
    """Compare payments with the newest event of every payment."""
    wanted = {
        order_id: {
            **_chosen(history.newest, ("status", "amount", "currency", "attempts", "provider_reference")),
            "version": history.version,
        }
        for order_id, history in facts.events.payments.items()
    }
    return compared(wanted, facts.views.payments, "payments")


def carts_view(facts: Facts) -> Breaches:
    """Compare Redis with the newest event of every cart in the table; Redis keeps carts for longer."""
    wanted = {
        cart_id: {"version": version, "status": data["status"], "line_count": len(data["lines"])}
        for cart_id, (version, data) in facts.events.carts.items()
        if cart_id in facts.tables[CART]
    }
    return compared(wanted, facts.views.carts, "Redis", extra=False)


def found_products(facts: Facts) -> Breaches:
    """Compare Elasticsearch's products with the product table, and their availability with stock."""
    if facts.views.found_products is None:
        return iter(())
    wanted = _products(facts)
    for sku, stock in facts.tables[STOCK].items():
        if sku in wanted and stock.version:
            wanted[sku]["available"] = stock.available
    has = {sku: row for sku, row in facts.views.found_products.items() if row.get("version") is not None}
    return compared(wanted, has, "Elasticsearch")


def found_orders(facts: Facts) -> Breaches:
    """Compare Elasticsearch's orders with the newest event of every order."""
    if facts.views.found_orders is None:
        return iter(())
    wanted = {
        order_id: {
            **_chosen(history.newest, ("kind", "status", "currency", "goods", "charged", "total")),
            "version": history.version,
            "line_count": len(history.newest["lines"]),
        }
        for order_id, history in facts.events.orders.items()
    }
    return compared(wanted, facts.views.found_orders, "Elasticsearch")


def _products(facts: Facts) -> dict[str, Row]:
    return {
        sku: {
            "name": product.snapshot.name,
            "price": product.snapshot.price,
            "currency": product.snapshot.currency,
            "active": product.snapshot.active,
            "version": product.version,
        }
        for sku, product in facts.tables[PRODUCT].items()
    }


def _chosen(row: Row, names: Sequence[str]) -> Row:
    return {name: row[name] for name in names}


def _rebuilt(*names: str) -> str:
    return " and ".join(f"`ecommerce views rebuild {name} --yes`" for name in names)


CHECKS = (
    Check(
        "tables_follow_topics",
        "the order and payment tables hold what their newest events say",
        lambda facts: len(facts.tables[ORDER]) + len(facts.tables[PAYMENT]),
        tables_follow_topics,
    ),
    Check(
        "view_stock",
        "stock_levels equals the table",
        lambda facts: len(facts.tables[STOCK]),
        stock_view,
        _rebuilt("stock_levels", "stock_movements"),
    ),
    Check(
        "view_products",
        "products equals the table",
        lambda facts: len(facts.tables[PRODUCT]),
        products_view,
        _rebuilt("products"),
    ),
    Check(
        "view_orders",
        "orders, their lines and charges equal the newest events",
        lambda facts: len(facts.events.orders),
        orders_view,
        _rebuilt("orders"),
    ),
    Check(
        "order_sums",
        "an order's total is its lines and charges, in its events and in orders",
        lambda facts: len(facts.events.orders) + len(facts.views.orders),
        sums,
    ),
    Check(
        "view_payments",
        "payments equals the newest events",
        lambda facts: len(facts.events.payments),
        payments_view,
        _rebuilt("payments"),
    ),
    Check(
        "view_carts",
        "Redis has every living cart",
        lambda facts: len(facts.tables[CART]),
        carts_view,
        _rebuilt("redis"),
    ),
    Check(
        "view_found_products",
        "Elasticsearch's products equal the tables (where it is configured)",
        lambda facts: len(facts.views.found_products or {}),
        found_products,
        _rebuilt("ecommerce-products"),
    ),
    Check(
        "view_found_orders",
        "Elasticsearch's orders equal the newest events (where it is configured)",
        lambda facts: len(facts.views.found_orders or {}),
        found_orders,
        _rebuilt("ecommerce-orders"),
    ),
)
