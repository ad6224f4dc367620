"""Reading the orders' views; an order is shown to the user or guest who bought it, and to staff."""

from typing import Protocol

import msgspec

from api import cursors
from api.auth.caller import Caller
from api.checkout.models import DeliveryAddress
from api.conditions import Conditions
from api.order.models import Line, Order, OrderCharge, OrderEvent, OrderPage, OrderSummary, Payment, Progress
from api.views import Row, Views
from schemas.order import OrderStatus
from topics.order import ORDER_EVENTS

_EVENT_TYPES = [topic.name for topic in ORDER_EVENTS]

_MS = "(extract(epoch FROM {0}) * 1000)::bigint AS {0}"
_SUMMARY = (
    "order_id::text, kind, status, currency, total, reason, version, "
    f"{_MS.format('placed_at')}, {_MS.format('updated_at')}"
)
# A guest's orders are those that the cart bought without an account (its secret was proved at the
# door); an account has those of the carts that it claimed at a login.
_OWNED = (
    "(user_id = $1::uuid OR (user_id IS NULL AND ($1::uuid IS NULL AND cart_id = $2::uuid OR cart_id IN "
    "(SELECT g.cart_id FROM identity.guest_carts g WHERE g.user_id = $1::uuid))))"
)


class Orders(Protocol):
    """Reads orders; what is not the caller's does not exist for them."""

    async def order(self, caller: Caller, order_id: str) -> Order | None:
        """Return an order that the caller may see."""
        ...

    async def claimed(self, caller: Caller) -> list[str]:
        """Return the guests' carts that the caller's account has claimed."""
        ...

    async def by_guest(self, order_id: str) -> bool:
        """Say whether the views have the order as one that was bought without an account."""
        ...

    async def page(
        self,
        caller: Caller,
        limit: int,
        cursor: str | None,
        *,
        status: OrderStatus | None = None,
        everyone: bool = False,
    ) -> OrderPage:
        """Return a page of the caller's orders, or of `everyone`'s; a 422 Problem for a foreign cursor."""
        ...

    async def events(self, order_id: str, after: int) -> list[OrderEvent]:
        """Return an order's events above a version, in order."""
        ...


class PostgresOrders:
    """The orders in the views' database."""

    def __init__(self, views: Views) -> None:
        self._views = views

    async def order(self, caller: Caller, order_id: str) -> Order | None:
        """Return an order that the caller may see."""
        row = await self._views.row(
            f"SELECT {_SUMMARY}, goods, charged, email, address::text, detail, sku, tracking "  # noqa: S608
            f"FROM orders WHERE order_id = $3::uuid AND ($4::boolean OR {_OWNED})",
            caller.user_id,
            caller.guest_cart,
            order_id,
            caller.staff,
        )
        if row is None:
            return None
        lines = await self._views.rows(
            "SELECT line_id, sku, name, quantity, unit_price FROM order_lines "
            "WHERE order_id = $1::uuid ORDER BY ordinal",
            order_id,
        )
        charges = await self._views.rows(
            "SELECT code, description, quantity, amount FROM order_charges "
            "WHERE order_id = $1::uuid ORDER BY ordinal",
            order_id,
        )
        payment = await self._views.row(
            "SELECT status, amount, currency, (extract(epoch FROM updated_at) * 1000)::bigint AS at "
            "FROM payments WHERE order_id = $1::uuid",
            order_id,
        )
        return _order(row, lines, charges, payment)

    async def page(
        self,
        caller: Caller,
        limit: int,
        cursor: str | None,
        *,
        status: OrderStatus | None = None,
        everyone: bool = False,
    ) -> OrderPage:
        """Return a page of the caller's orders, or of `everyone`'s; a 422 Problem for a foreign cursor."""
        asked = Conditions()
        if not (everyone and caller.staff):
            carts = await self.claimed(caller) if caller.user_id else [caller.guest_cart]
            guests = f"user_id IS NULL AND cart_id = ANY({asked.value(carts)}::uuid[])" if carts else ""
            mine = f"user_id = {asked.value(caller.user_id)}::uuid" if caller.user_id else ""
            asked.add(f"({' OR '.join(filter(None, (mine, guests)))})")
        if status is not None:
            asked.add(f"status = {asked.value(status.value)}::text")
        of = cursors.list_of("orders", status, caller.owner, everyone and caller.staff)
        if cursor is not None:
            asked.behind(cursor, of, "placed_at", "millisecond", then="order_id::text")
        rows = await self._views.rows(
            f"SELECT {_SUMMARY} FROM orders WHERE {asked} "  # noqa: S608 (constants)
            f"ORDER BY orders.placed_at DESC, orders.order_id::text LIMIT {limit + 1:d}",
            *asked.values,
        )
        shown = rows[:limit]
        more = len(rows) > limit
        following = cursors.encode(of, shown[-1]["placed_at"], shown[-1]["order_id"]) if more else None
        return OrderPage(items=[_summary(row) for row in shown], next_cursor=following)

    async def claimed(self, caller: Caller) -> list[str]:
        """Return the guests' carts that the caller's account has claimed."""
        if caller.user_id is None:
            return []
        rows = await self._views.rows(
            "SELECT cart_id::text FROM identity.guest_carts WHERE user_id = $1::uuid", caller.user_id
        )
        return [row["cart_id"] for row in rows]

    async def by_guest(self, order_id: str) -> bool:
        """Say whether the views have the order as one that was bought without an account."""
        found = await self._views.row(
            "SELECT 1 FROM orders WHERE order_id = $1::uuid AND user_id IS NULL AND cart_id IS NOT NULL",
            order_id,
        )
        return found is not None

    async def events(self, order_id: str, after: int) -> list[OrderEvent]:
        """Return an order's events above a version, in order."""
        rows = await self._views.rows(
            "SELECT event_type, status, version, detail::text, "
            "(extract(epoch FROM occurred_at) * 1000)::bigint AS occurred_at "
            "FROM order_events WHERE order_id = $1::uuid AND version > $2 "
            "AND event_type = ANY($3::text[]) ORDER BY version",
            order_id,
            after,
            _EVENT_TYPES,
        )
        return [_event(order_id, row) for row in rows]


def _summary(row: Row) -> OrderSummary:
    return OrderSummary(
        order_id=row["order_id"],
        kind=row["kind"],
        status=Progress(row["status"]),
        currency=row["currency"],
        total=row["total"],
        placed_at=row["placed_at"],
        updated_at=row["updated_at"],
        reason=row["reason"],
        version=row["version"],
    )


def _order(row: Row, lines: list[Row], charges: list[Row], payment: Row | None) -> Order:
    address = msgspec.json.decode(row["address"]) if row["address"] else None
    return Order(
        **_summary(row).model_dump(),
        goods=row["goods"],
        charged=row["charged"],
        email=row["email"],
        address=DeliveryAddress.model_construct(**address) if address else None,
        lines=[Line(**dict(line)) for line in lines],
        charges=[OrderCharge(**dict(charge)) for charge in charges],
        detail=row["detail"],
        sku=row["sku"],
        tracking=row["tracking"],
        payment_status=payment["status"] if payment else None,
        payment=Payment(**dict(payment)) if payment else None,
    )


_TOLD = ("total", "consented", "reason", "detail", "sku", "tracking")


def _event(order_id: str, row: Row) -> OrderEvent:
    detail = msgspec.json.decode(row["detail"])
    return OrderEvent(
        order_id=order_id,
        event=row["event_type"].removeprefix("ecommerce."),
        status=Progress(row["status"]),
        version=row["version"],
        occurred_at=row["occurred_at"],
        **{name: detail.get(name) for name in _TOLD},
    )
