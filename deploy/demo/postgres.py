"""What the Postgres views hold of a replay: which parts of it exist, and its figures per month."""

from collections.abc import Collection, Mapping
from typing import Any, Self

import asyncpg
import msgspec

from connectors.retail.classify import signed_amount
from connectors.retail.row import Row
from deploy.demo.reconcile import HAPPENED, Beside, OrdersFound, ViewFigures
from deploy.demo.shelf import Level
from deploy.demo.stocking import Shown

_FIGURES = """
SELECT to_char(o.placed_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month,
       count(*) AS orders,
       sum(o.total)::bigint AS totals,
       sum(l.rows + c.rows)::bigint AS rows,
       sum(l.units)::bigint AS units,
       sum(l.amount)::bigint AS goods,
       sum(c.amount)::bigint AS charges
  FROM orders o
 CROSS JOIN LATERAL (
       SELECT count(*) AS rows, coalesce(sum(quantity), 0) AS units,
              coalesce(sum(quantity * unit_price), 0) AS amount
         FROM order_lines WHERE order_id = o.order_id) l
 CROSS JOIN LATERAL (
       SELECT count(*) AS rows, coalesce(sum(quantity * amount), 0) AS amount
         FROM order_charges WHERE order_id = o.order_id) c
 WHERE o.order_id = ANY($1::uuid[]) AND o.kind = $2 AND o.status = ANY($3::text[])
 GROUP BY 1
"""


class PostgresViews:
    """Reads the views over one connection; use it as an async context manager."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection[Any] | None = None

    async def __aenter__(self) -> Self:
        self._connection = await asyncpg.connect(self._dsn)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _fetch(self, query: str, *values: object) -> list[Any]:
        if self._connection is None:
            raise RuntimeError("the views are not connected")
        return list(await self._connection.fetch(query, *values))

    async def on_sale(self) -> dict[str, Shown]:
        """Return what is shown of every active product, by SKU."""
        rows = await self._fetch(
            "SELECT sku, name, description, categories, price FROM products WHERE active"
        )
        return {
            r["sku"]: (r["name"], r["description"], (r["categories"] or [""])[0], r["price"]) for r in rows
        }

    async def existing_receipts(self, receipts: Collection[str]) -> set[str]:
        """Return which of the goods receipts the view has seen applied."""
        rows = await self._fetch(
            "SELECT reference FROM stock_movements WHERE kind = 'receive' AND reference = ANY($1::text[])",
            list(receipts),
        )
        return {r["reference"] for r in rows}

    async def levels(self) -> dict[str, Level]:
        """Return what is shown of every SKU's stock."""
        rows = await self._fetch("SELECT sku, available, version FROM stock_levels")
        return {r["sku"]: Level(r["available"], r["version"]) for r in rows}

    async def beside(self, orders: Collection[str]) -> Beside:
        """Return what the shop has beside these orders: others' orders, and products that can be bought."""
        (others,) = await self._fetch(
            "SELECT count(*) AS orders, coalesce(sum(total), 0)::bigint AS total FROM orders AS o"
            " WHERE NOT EXISTS (SELECT FROM unnest($1::uuid[]) AS given (id) WHERE given.id = o.order_id)",
            list(orders),
        )
        (shop,) = await self._fetch(
            "SELECT count(*) AS products, count(*) FILTER (WHERE l.available > 0) AS in_stock"
            " FROM products AS p LEFT JOIN stock_levels AS l USING (sku) WHERE p.active"
        )
        return Beside(others["orders"], others["total"], shop["products"], shop["in_stock"])

    async def existing_orders(self, orders: Collection[str]) -> set[str]:
        """Return which of the orders and returns the view has, whatever became of them."""
        rows = await self._fetch("SELECT order_id FROM orders WHERE order_id = ANY($1::uuid[])", list(orders))
        return {str(r["order_id"]) for r in rows}

    async def existing_letters(self, letters: Collection[str]) -> set[str]:
        """Return which of the dead letters the view has."""
        rows = await self._fetch("SELECT id FROM dead_letters WHERE id = ANY($1::text[])", list(letters))
        return {r["id"] for r in rows}

    async def figures(self, orders: Collection[str], letters: Mapping[str, str]) -> dict[str, ViewFigures]:
        """Return the figures of the given orders and dead letters, per month (YYYY-MM).

        An order's month is that of its `placed_at`; a letter's is given, because a row may lack a date.
        """
        months: dict[str, ViewFigures] = {}
        for kind, statuses in HAPPENED.items():
            for r in await self._fetch(
                _FIGURES, list(orders), kind.value, [status.value for status in statuses]
            ):
                found = OrdersFound(**{name: r[name] for name in OrdersFound.__struct_fields__})
                months.setdefault(r["month"], ViewFigures()).count(kind, found)
        rejected = await self._fetch(
            "SELECT id, reason, value FROM dead_letters WHERE id = ANY($1::text[])", list(letters)
        )
        for r in rejected:
            month = months.setdefault(letters[r["id"]], ViewFigures())
            month.rejected_rows += 1
            month.rejected_by_reason[r["reason"]] += 1
            month.rejected_amount += signed_amount(msgspec.json.decode(r["value"], type=Row))
        return months
