"""What the Elasticsearch orders index holds of a replay: its figures per month."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from elasticsearch import AsyncElasticsearch

from deploy.demo.reconcile import HAPPENED, OrdersFound, ViewFigures
from schemas.order import OrderKind
from sinks.order.index import ORDERS

_BATCH = 500
_FIELDS = ["kind", "status", "placed_at", "total", "lines.quantity", "lines.unit_price"]
_FIELDS += ["charges.quantity", "charges.amount"]


async def search_figures(url: str, orders: Sequence[str]) -> dict[str, ViewFigures]:
    """Return the figures of the given orders and returns, per month (YYYY-MM) of their `placed_at`.

    Documents are read by id, line by line, which needs no refresh of the index. Raises the client's errors
    where Elasticsearch does not answer.
    """
    months: dict[str, ViewFigures] = {}
    async with AsyncElasticsearch(url) as client:
        for first in range(0, len(orders), _BATCH):
            ids = list(orders[first : first + _BATCH])
            found = await client.mget(index=ORDERS.alias, ids=ids, source_includes=_FIELDS)
            for document in found["docs"]:
                if document.get("found"):
                    _count(months, document["_source"])
    return months


def _count(months: dict[str, ViewFigures], order: Mapping[str, Any]) -> None:
    kind = OrderKind(order["kind"])
    if order["status"] not in HAPPENED[kind]:
        return
    lines, charges = order.get("lines", []), order.get("charges", [])
    found = OrdersFound(
        orders=1,
        rows=len(lines) + len(charges),
        units=sum(line["quantity"] for line in lines),
        goods=sum(line["quantity"] * (line["unit_price"] or 0) for line in lines),
        charges=sum(charge["quantity"] * charge["amount"] for charge in charges),
        totals=order["total"],
    )
    month = datetime.fromtimestamp(order["placed_at"] / 1000, UTC).strftime("%Y-%m")
    months.setdefault(month, ViewFigures()).count(kind, found)
