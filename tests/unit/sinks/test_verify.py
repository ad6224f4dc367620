"""Comparing what is expected with what is held: digests, differences, and what each view's parts are."""

import uuid
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone

import pytest
from asyncpg.pgproto.pgproto import UUID as PostgresUUID  # noqa: N811 - it is no constant

from connectors.elasticsearch.index import Deletion, Document, Patch
from connectors.postgres.table import Table
from connectors.postgres.tombstone import Tombstone
from connectors.runtime.sink import Entry
from sinks.elasticsearch import GUARDS
from sinks.order.rows import ORDER_LINES, ORDERS
from sinks.payment.rows import PAYMENTS
from sinks.postgres import TABLES
from sinks.product.document import availability_patch, product_patch
from sinks.product.rows import PRODUCTS
from sinks.verify.comparison import MOST, Kind, again, look
from sinks.verify.elasticsearch import ElasticsearchExpected
from sinks.verify.held import Held, Told, digest, parsed, together
from sinks.verify.postgres import PostgresExpected
from sinks.verify.spool import Spool
from sinks.views import Server, choose, names
from tests.unit.sinks.messages import event, order, product, stock, uid
from tests.unit.sinks.records import batch, record
from topics import registry as t


class Fixed:
    """A side that holds what it is given."""

    def __init__(self, held: Mapping[str, bytes], *, twice: bool = False) -> None:
        self.held = dict(held)
        self._twice = twice

    async def rows(self, part: str) -> AsyncIterator[Held]:
        assert part == "part"
        for _ in range(2 if self._twice else 1):
            for key, value in self.held.items():
                yield Held(key, value)

    async def some(self, part: str, keys: Collection[str]) -> Mapping[str, Held]:
        assert part == "part"
        return {key: Held(key, self.held[key]) for key in keys if key in self.held}


@pytest.fixture
def spool() -> Iterator[Spool]:
    with Spool() as made:
        yield made


def expect(spool: Spool, told: Mapping[str, bytes]) -> None:
    spool.write({("part", key): Told(value) for key, value in told.items()})


A, B = digest("a"), digest("b")


def test_a_digest_is_of_what_is_said_and_not_of_how() -> None:
    text = "6f1b2a34-0000-4000-8000-000000000000"
    assert digest([PostgresUUID(text)]) == digest([uuid.UUID(text)]) == digest([text])
    assert digest(parsed('{"b": 1, "a": [2]}')) == digest(parsed(b'{"a":[2],"b":1}'))
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert digest(noon) == digest(datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(0))))
    assert digest(1) != digest("1")
    assert parsed("not json") == "not json"
    assert parsed(b"\xff") == "ff"
    assert together([A, B]) == together([B, A])
    assert together([A]) != together([A, A])


async def test_each_kind_of_difference_is_found_and_rows_are_summed(spool: Spool) -> None:
    expect(spool, {"same": A, "changed": A, "missing": A})
    found = await look(["part"], spool, Fixed({"same": A, "changed": B, "extra": B}))
    assert {(each.key, each.kind) for each in found.differences} == {
        ("changed", Kind.DIFFERENT),
        ("missing", Kind.MISSING),
        ("extra", Kind.EXTRA),
    }
    assert (found.expected["part"].rows, found.held["part"].rows) == (3, 3)
    assert found.expected["part"].checksum != found.held["part"].checksum


async def test_a_key_that_is_told_twice_counts_once(spool: Spool) -> None:
    expect(spool, {"same": A})
    found = await look(["part"], spool, Fixed({"same": A}, twice=True))
    assert found.differences == []
    assert found.held == found.expected


async def test_only_what_differs_still_is_told_again(spool: Spool) -> None:
    expect(spool, {"late": A, "wrong": A})
    side = Fixed({"wrong": B})
    first = (await look(["part"], spool, side)).differences
    side.held["late"] = A
    assert [(each.key, each in first) for each in await again(first, spool, side)] == [("wrong", True)]


async def test_differences_beyond_a_number_are_counted_only(spool: Spool) -> None:
    found = await look(["part"], spool, Fixed({str(number): A for number in range(MOST + 5)}))
    assert (len(found.differences), found.more) == (MOST, 5)


async def test_what_is_excused_is_counted_and_no_difference(spool: Spool) -> None:
    expect(spool, {"late": A, "older": A})
    found = await look(["part"], spool, Fixed({"older": B, "extra": A}), lambda _: True)
    assert ([each.key for each in found.differences], found.excused) == (["extra"], 2)


async def test_what_is_expected_of_tables_is_the_newest_version_with_what_it_owns(spool: Spool) -> None:
    key = uid("order")
    both = [
        record(t.ORDER_PLACED, event(t.ORDER_PLACED, key, version, data), offset=version)
        for version, data in ((2, order(lines=order().lines[:1])), (1, order()))
    ]
    expected = PostgresExpected(TABLES, {}, spool)
    await expected.write(batch(choose("postgres").projections, both))
    told = spool.get(ORDERS.name, key)
    assert told is not None
    assert (told.version, told.sources) == (2, ((t.ORDER_PLACED.name, 0, 2),))
    lines = spool.get(ORDER_LINES.name, key)
    assert lines is not None
    assert lines.rows == 1


async def test_a_tombstone_takes_what_was_expected_away(spool: Spool) -> None:
    made = record(t.PRODUCT_CREATED, event(t.PRODUCT_CREATED, "A", 1, product()))
    expected = PostgresExpected(TABLES, {}, spool)
    await expected.write(batch(choose("products").projections, [made]))
    assert spool.get(PRODUCTS.name, "A") is not None
    await expected.write([Entry(made, (Tombstone(PRODUCTS, "A", 7),))])
    assert spool.get(PRODUCTS.name, "A") is None
    assert choose("products").keeps(Tombstone(PRODUCTS, "A", 7))
    assert not choose("products").keeps(Tombstone(PAYMENTS, "A", 7))


async def test_a_document_that_was_deleted_is_not_brought_back_by_an_older_one(spool: Spool) -> None:
    placed = record(t.ORDER_PLACED, event(t.ORDER_PLACED, uid("order"), 1, order()))
    expected = ElasticsearchExpected(spool)
    for write in (Deletion("part", "gone", 2), Document("part", "gone", 1, {"total": 1})):
        await expected.write([Entry(placed, (write,))])
    assert (await look(["part"], spool, Fixed({}))).differences == []
    (difference,) = (await look(["part"], spool, Fixed({"gone": A}))).differences
    assert difference.kind is Kind.EXTRA


def test_the_parts_of_a_document_are_what_the_projectors_write() -> None:
    patches: list[Patch] = [
        *product_patch(event(t.PRODUCT_CREATED, "A", 1, product())),
        *availability_patch(event(t.INVENTORY_UPDATED, "A", 1, stock(1))),
    ]
    for patch in patches:
        assert set(patch.fields) == GUARDS[patch.alias][patch.guard]


def test_a_name_is_a_servers_or_a_views() -> None:
    assert {str(server) for server in Server} < set(names())
    owned: list[Table] = [table for table in TABLES if table.owner is not None]
    assert not {table.name for table in owned} & set(names())
    assert [table.name for table in choose("orders").tables] == ["orders", "order_lines", "order_charges"]
    assert t.PRODUCT_CREATED.name not in choose("orders").topics
    assert choose("postgres").tables == TABLES
    with pytest.raises(LookupError, match="there is no view order_lines: choose from postgres, "):
        choose("order_lines")
