"""Every query that the API runs, explained on full tables: it reads by an index, little more than it gives.

A query is found by where it is called, so that one that is new and not run here makes the test fail.
"""

import ast
import itertools
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from api import cursors
from api.auth.caller import Caller
from api.auth.tokens import Role, User
from api.auth.users import PostgresUsers
from api.inventory.queries import PostgresStock
from api.ops.service import Ops
from api.order.queries import PostgresOrders
from api.product.models import ProductSort
from api.product.queries import PostgresCatalogue, ProductFilter
from api.views import Row, Views
from deploy.run.migrate import bring_up_to_date
from schemas.order import OrderStatus
from sinks.search import statements
from sinks.search.backend import Query, Sort
from sinks.search.reading import Term
from tests.unit.sinks.messages import uid
from topics.settings import Settings

API = Path(__file__).parents[3] / "api"
PAGE = 20
# Rows that a query may look at and not give: other pages' of an index, an order's in other partitions.
SPARE = 200
WHOLE = frozenset({"products", "stock_levels"})
"""Small tables: a product is a line of a catalogue, and facets and categories count them all."""
COUNTED = "dead_letters"
"""Counted by reason as a whole, from an index."""

# Times are whole milliseconds, as the events' are: a list's cursor holds no more.
FILL = """
INSERT INTO products (sku, name, description, categories, price, currency, active, low_stock_threshold,
                      created_at, updated_at, version)
SELECT 'sku-' || n, 'thing number ' || n, '', ARRAY['category ' || n % 50], n, 'GBP', true, 0,
       date_trunc('milliseconds', now()) - n * interval '1 minute', now(), 1 FROM generate_series(1, 2000) n;
INSERT INTO stock_levels SELECT 'sku-' || n, n, 0, n, n, 0, 0, 1, now() FROM generate_series(1, 2000) n;
INSERT INTO stock_movements SELECT 'sku-' || n % 200, n / 200, 'receive', 1, 'r', 'r', now()
FROM generate_series(1, 10000) n;
INSERT INTO orders (order_id, kind, status, cart_id, user_id, currency, goods, charged, total, placed_at,
                    updated_at, version, correlation_id)
SELECT md5('order ' || n)::uuid, 'sale', (ARRAY['placed', 'confirmed', 'shipped'])[1 + n % 3],
       md5('cart ' || n / 5)::uuid, CASE WHEN n / 5 % 2 = 0 THEN md5('user ' || n / 50)::uuid END,
       'GBP', 1, 0, 1, date_trunc('milliseconds', now()) - n * interval '1 minute', now(), 1, md5('c')::uuid
FROM generate_series(1, 10000) n;
INSERT INTO order_lines SELECT order_id, 'line', 1, 'sku-1', NULL, 1, 1 FROM orders;
INSERT INTO order_charges SELECT order_id, 1, 'POST', '', 1, 1 FROM orders;
INSERT INTO order_events
SELECT gen_random_uuid(), order_id, v, 'ecommerce.order.placed', 'placed', now(), '{}'
FROM orders, generate_series(1, 2) v;
INSERT INTO payments SELECT order_id, 'captured', 1, 'GBP', NULL, 1, NULL, 1, now() FROM orders;
INSERT INTO dead_letters (id, domain, dlq_topic, dlq_partition, dlq_offset, reason, attempt, headers,
                          failed_at)
SELECT n::text, 'domain ' || n % 7, 't', 0, n, 'reason ' || n % 3, 1, '{}', now() - n * interval '1 minute'
FROM generate_series(1, 10000) n;
INSERT INTO identity.users (user_id, email, password_hash)
SELECT gen_random_uuid(), 'shopper-' || n || '@example.org', 'hash' FROM generate_series(1, 2000) n;
INSERT INTO identity.guest_carts (cart_id, user_id)
SELECT gen_random_uuid(), user_id FROM identity.users, generate_series(1, 2);
"""


_BETWEEN = (__file__, str(API / "views.py"))


class Explained(Views):
    """Runs queries on one connection, and keeps the plan of each and where it was asked."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.plans: list[dict[str, Any]] = []
        self.called: set[tuple[str, int]] = set()

    async def rows(self, query: str, *values: object) -> list[Row]:
        frame = sys._getframe(1)
        while frame.f_code.co_filename in _BETWEEN and frame.f_back is not None:
            frame = frame.f_back
        self.called.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))
        await self.explain(query, *values)
        found: list[Row] = await self._connection.fetch(query, *values)
        return found

    @asynccontextmanager
    async def acquire(self, timeout: float) -> AsyncIterator["Explained"]:  # noqa: ASYNC109 - as the pool's
        assert timeout > 0
        yield self

    async def fetch(self, query: str, *values: object) -> list[Row]:
        return await self.rows(query, *values)

    async def fetchrow(self, query: str, *values: object) -> Row | None:
        return await self.row(query, *values)

    async def explain(self, query: str, *values: object) -> None:
        plan = await self._connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", *values)
        self.plans.append(json.loads(plan)[0]["Plan"] | {"query": query})


@pytest.fixture
async def views(settings: Settings, postgres: str) -> AsyncIterator[Explained]:
    bring_up_to_date(settings)
    connection = await asyncpg.connect(postgres)
    await connection.execute(FILL)
    # An index tells all alone only of rows that are known to be visible.
    await connection.execute("VACUUM ANALYZE")
    yield Explained(connection)
    await connection.close()


async def test_every_query_reads_by_an_index(views: Explained, settings: Settings) -> None:
    user, staff = (Caller(User(uid("user"), "a@example.org", role)) for role in (Role.CUSTOMER, Role.STAFF))
    some = await views.fetchrow(
        "SELECT order_id::text, user_id::text FROM orders WHERE user_id IS NOT NULL LIMIT 1"
    )
    guest = await views.fetchrow("SELECT cart_id::text FROM orders WHERE user_id IS NULL LIMIT 1")
    deep = await views.fetchrow(
        "SELECT (extract(epoch FROM placed_at) * 1000)::bigint AS at, order_id::text FROM orders"
        " ORDER BY placed_at DESC OFFSET 8000 LIMIT 1"
    )
    assert some is not None
    assert guest is not None
    assert deep is not None
    views.plans.clear()
    views.called.clear()

    buyer, passer = (
        Caller(User(some["user_id"], "b@example.org", Role.CUSTOMER)),
        Caller(None, guest["cart_id"]),
    )
    orders = PostgresOrders(views)
    for caller, everyone, status, far in itertools.product(
        (buyer, passer, user, staff), (False, True), (None, OrderStatus.CONFIRMED), (False, True)
    ):
        of = cursors.list_of("orders", status, caller.owner, everyone and caller.staff)
        after = cursors.encode(of, deep["at"], deep["order_id"]) if far else None
        page = await orders.page(caller, PAGE, after, status=status, everyone=everyone)
        full = everyone and caller is staff
        assert (len(page.items) == PAGE) or not full
    assert await orders.order(buyer, some["order_id"]) is not None
    await orders.by_guest(some["order_id"])
    assert len(await orders.events(some["order_id"], 0)) == 2

    assert await PostgresStock(views).level("sku-7") is not None
    ops = Ops(settings, views)
    for domain, far in itertools.product((None, "domain 3"), (False, True)):
        of = cursors.list_of("dead letters", domain)
        after = cursors.encode(of, deep["at"] * 1000, "x") if far else None
        assert len((await ops.dead_letters(domain, PAGE, after)).items) == PAGE
    assert await ops.recent_dead_letters() > 0

    catalogue = PostgresCatalogue(views)
    assert await catalogue.product("sku-7") is not None
    assert len(await catalogue.products(["sku-7", "sku-8"])) == 2
    assert await catalogue.available(["sku-7"]) == {"sku-7": 7}
    for sort in ProductSort:
        first = await catalogue.page(ProductFilter(), sort, PAGE, None)
        second = await catalogue.page(ProductFilter(), sort, PAGE, first.next_cursor)
        assert not {each.sku for each in first.items} & {each.sku for each in second.items}
    assert len(await catalogue.categories()) == 50
    account = await PostgresUsers(views).by_email("Shopper-7@example.org")
    assert account is not None
    assert await PostgresUsers(views).by_id(account.user.user_id) == account
    await PostgresUsers(views).claim(account.user.user_id, str(uuid4()))

    await _search(views)

    for plan in views.plans:
        for problem in _problems(plan):
            pytest.fail(f"{problem}\n{plan['query']}")
    assert views.called == set(_asked()), "every query of the API is among them"


async def _search(views: Explained) -> None:
    """Run a search in every order, and suggestions; each finds its products by the documents' index."""
    before = len(views.plans)
    reading = (Term(("thing",)), Term(("1234",), unfinished=True))
    asked = [statements.page(Query("thing 1234", sort=sort), [reading]) for sort in Sort]
    for each in (*asked, statements.suggestions([reading], 5)):
        await views.explain(each.sql, *each.values)
    for plan in views.plans[before:]:
        nodes = list(_nodes(plan))
        assert "products_document" in {node.get("Index Name") for node in nodes}, plan["query"]
        assert "Seq Scan" not in {node["Node Type"] for node in nodes}, plan["query"]


def _problems(plan: dict[str, Any]) -> Iterator[str]:
    for node in _nodes(plan):
        relation = node.get("Relation Name")
        if relation is None or relation in WHOLE:
            continue
        looked_at = node["Actual Loops"] * (
            node["Actual Rows"]
            + node.get("Rows Removed by Filter", 0)
            + node.get("Rows Removed by Index Recheck", 0)
        )
        if node["Node Type"] == "Seq Scan":
            yield f"{relation} is read from end to end"
        elif looked_at > PAGE + SPARE and (relation, node["Node Type"]) != (COUNTED, "Index Only Scan"):
            yield f"{looked_at} rows of {relation} are looked at by {node.get('Index Name')}"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


def _asked() -> Iterator[tuple[str, int]]:
    """Yield the functions of the API that ask the database, as file and line."""
    for file in API.rglob("*.py"):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.AsyncFunctionDef) and any(map(_asks, ast.walk(function))):
                yield str(file), function.lineno


def _asks(node: ast.AST) -> bool:
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Attribute(attr="_views" | "_pool"), attr="rows" | "row" | "fetchrow")
        ):
            return True
    return False
