"""Reading the catalogue's views. Prices and bounds are minor units."""

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from api import cursors
from api.product.models import Product, ProductPage, ProductSort
from api.views import Row, Views

_COLUMNS = """
    p.sku, p.name, p.description, p.categories, p.price, p.currency, p.active, p.version, p.created_at,
    coalesce(s.available, 0) AS available
"""
_FROM = "FROM products p LEFT JOIN stock_levels s USING (sku)"

# Sort column, direction, the Python type of its value in a cursor, and that value as the column's type.
_ORDERS: dict[ProductSort, tuple[str, str, type, str]] = {
    ProductSort.NAME: ("p.name", "ASC", str, "$5::text"),
    ProductSort.PRICE_UP: ("p.price", "ASC", int, "$5::bigint"),
    ProductSort.PRICE_DOWN: ("p.price", "DESC", int, "$5::bigint"),
    ProductSort.NEWEST: ("p.created_at", "DESC", int, cursors.moment("$5", "millisecond")),
}
_SHOWN = {"p.created_at": "(extract(epoch FROM p.created_at) * 1000)::bigint"}


class ProductFilter(msgspec.Struct, frozen=True):
    """Conditions of a list; prices are inclusive bounds."""

    category: str | None = None
    price_from: int | None = None
    price_to: int | None = None
    in_stock: bool = False


class Catalogue(Protocol):
    """Reads products."""

    async def product(self, sku: str) -> Product | None:
        """Return a product, on sale or not."""
        ...

    async def products(self, skus: Iterable[str]) -> dict[str, Product]:
        """Return the products that exist among `skus`."""
        ...

    async def page(
        self, chosen: ProductFilter, sort: ProductSort, limit: int, cursor: str | None
    ) -> ProductPage:
        """Return a page of products on sale; raises a 422 Problem for a foreign cursor."""
        ...

    async def categories(self) -> list[tuple[str, int]]:
        """Return the categories with how many products on sale each has, by name."""
        ...


class PostgresCatalogue:
    """The catalogue in the views' database."""

    def __init__(self, views: Views) -> None:
        self._views = views

    async def product(self, sku: str) -> Product | None:
        """Return a product, on sale or not."""
        row = await self._views.row(f"SELECT {_COLUMNS} {_FROM} WHERE p.sku = $1", sku)
        return None if row is None else _product(row)

    async def products(self, skus: Iterable[str]) -> dict[str, Product]:
        """Return the products that exist among `skus`."""
        wanted = list(dict.fromkeys(skus))
        if not wanted:
            return {}
        query = f"SELECT {_COLUMNS} {_FROM} WHERE p.sku = ANY($1::text[])"
        return {row["sku"]: _product(row) for row in await self._views.rows(query, wanted)}

    async def available(self, skus: Iterable[str]) -> dict[str, int]:
        """Return how many pieces can be reserved, by SKU."""
        query = "SELECT sku, available FROM stock_levels WHERE sku = ANY($1::text[])"
        return {row["sku"]: row["available"] for row in await self._views.rows(query, list(skus))}

    async def page(
        self, chosen: ProductFilter, sort: ProductSort, limit: int, cursor: str | None
    ) -> ProductPage:
        """Return a page of products on sale; raises a 422 Problem for a foreign cursor."""
        column, direction, kind, bound = _ORDERS[sort]
        values: list[Any] = [chosen.category, chosen.price_from, chosen.price_to, chosen.in_stock]
        after, of = "", cursors.list_of("products", sort, chosen)
        if cursor is not None:
            values += cursors.decode(cursor, of, (kind, str))
            than = ">" if direction == "ASC" else "<"
            # The first bound is what the index is entered by, however deep the page lies.
            after = f"AND {column} {than}= {bound} AND ({column} {than} {bound} OR p.sku > $6::text)"
        query = f"""
            SELECT {_COLUMNS}, {_SHOWN.get(column, column)} AS sort_value {_FROM}
            WHERE p.active
              AND ($1::text IS NULL OR p.categories @> ARRAY[$1::text])
              AND ($2::bigint IS NULL OR p.price >= $2)
              AND ($3::bigint IS NULL OR p.price <= $3)
              AND (NOT $4::boolean OR s.available > 0)
              {after}
            ORDER BY {column} {direction}, p.sku
            LIMIT {limit + 1:d}
        """
        rows = await self._views.rows(query, *values)
        more = len(rows) > limit
        rows = rows[:limit]
        following = cursors.encode(of, rows[-1]["sort_value"], rows[-1]["sku"]) if more else None
        return ProductPage(items=[_product(row) for row in rows], next_cursor=following)

    async def categories(self) -> list[tuple[str, int]]:
        """Return the categories with how many products on sale each has, by name."""
        rows = await self._views.rows(
            "SELECT category, count(*) AS products FROM products, unnest(categories) AS category "
            "WHERE active GROUP BY category ORDER BY category"
        )
        return [(row["category"], row["products"]) for row in rows]


def _product(row: Row) -> Product:
    return Product(
        sku=row["sku"],
        name=row["name"],
        description=row["description"],
        categories=row["categories"],
        price=row["price"],
        currency=row["currency"],
        available=row["available"],
        active=row["active"],
        version=row["version"],
        created_at=round(row["created_at"].timestamp() * 1000),
    )
