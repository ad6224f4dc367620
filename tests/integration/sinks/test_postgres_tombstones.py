"""A compacted topic's records without a value delete rows on a real server, and none that is newer."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

import asyncpg
import pytest

from connectors.postgres.sink import PostgresSink
from connectors.postgres.table import Row, Table
from connectors.postgres.tombstone import CompactedProjection
from connectors.runtime.pending import Pending
from connectors.runtime.projection import projected
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry
from schemas.envelope import Message
from schemas.product import ProductSnapshot
from tests.unit.sinks.messages import event, product
from tests.unit.sinks.records import record
from topics import registry as t


class GiftRow(NamedTuple):
    sku: str
    name: str
    version: int
    at_offset: int = 0


class WordRow(NamedTuple):
    sku: str
    ordinal: int
    word: str


GIFTS = Table("gifts", GiftRow, key=("sku",), version="version", offset="at_offset")
WORDS = Table("words", WordRow, key=("sku", "ordinal"), owner=GIFTS)


def gift_rows(message: Message[ProductSnapshot]) -> tuple[Row, ...]:
    name = message.data.name
    return (
        GiftRow(message.aggregate_id, name, message.aggregate_version),
        *(WordRow(message.aggregate_id, place, word) for place, word in enumerate(name.split())),
    )


PROJECTION = CompactedProjection(t.PRODUCT_UPDATED, gift_rows, ("gifts", "words"), table=GIFTS)


@pytest.fixture
async def gifts(postgres: str) -> AsyncIterator[asyncpg.Connection]:
    database = await asyncpg.connect(postgres)
    await database.execute(
        "CREATE TABLE gifts (sku text PRIMARY KEY, name text, version bigint, at_offset bigint);"
        "CREATE TABLE words (sku text, ordinal bigint, word text, PRIMARY KEY (sku, ordinal))"
    )
    yield database
    await database.close()


@pytest.fixture
async def deliver(postgres: str) -> AsyncIterator[Callable[[Sequence[Record]], Any]]:
    sink = PostgresSink(postgres, [GIFTS, WORDS])

    async def write(records: Sequence[Record]) -> None:
        pending: Pending[Row] = Pending()
        for each in records:
            pending.read(each, projected(PROJECTION, each))
        entries = [Entry(each, pending.rows_of(became)) for each, became in pending.held()]
        assert await sink.write(entries) == ()

    yield write
    await sink.close()


def says(offset: int, sku: str, version: int, name: str = "White heart") -> Record:
    return record(t.PRODUCT_UPDATED, event(t.PRODUCT_UPDATED, sku, version, product(name)), offset)


def gone(offset: int, sku: str) -> Record:
    return Record(t.PRODUCT_UPDATED.name, 0, offset, 0, sku.encode(), None)


async def contents(database: asyncpg.Connection) -> list[tuple[Any, ...]]:
    rows = await database.fetch(
        "SELECT sku, name, version, (SELECT string_agg(word, ' ' ORDER BY ordinal) FROM words"
        " WHERE words.sku = gifts.sku) FROM gifts ORDER BY sku"
    )
    lost = await database.fetchval("SELECT count(*) FROM words WHERE sku NOT IN (SELECT sku FROM gifts)")
    assert lost == 0, "what belongs to a row goes with it"
    return [tuple(row) for row in rows]


async def test_a_tombstone_deletes_the_row_and_what_it_owns(
    gifts: asyncpg.Connection, deliver: Callable[[Sequence[Record]], Any]
) -> None:
    await deliver([says(0, "a", 1), says(1, "b", 1)])
    await deliver([gone(2, "a"), gone(3, "never there")])
    assert await contents(gifts) == [("b", "White heart", 1, "White heart")]


async def test_a_tombstone_that_comes_late_deletes_nothing_newer(
    gifts: asyncpg.Connection, deliver: Callable[[Sequence[Record]], Any]
) -> None:
    await deliver([says(0, "a", 1), gone(1, "a"), says(2, "a", 2, "Red heart")])
    await deliver([gone(1, "a")])
    assert await contents(gifts) == [("a", "Red heart", 2, "Red heart")]


async def test_a_key_that_comes_back_begins_anew_even_with_a_lower_version(
    gifts: asyncpg.Connection, deliver: Callable[[Sequence[Record]], Any]
) -> None:
    await deliver([says(0, "a", 7)])
    await deliver([gone(1, "a"), says(2, "a", 1, "Red")])
    assert await contents(gifts) == [("a", "Red", 1, "Red")]


@pytest.mark.parametrize("seed", range(4))
async def test_any_batches_and_any_redelivery_end_at_what_compaction_keeps(
    gifts: asyncpg.Connection, deliver: Callable[[Sequence[Record]], Any], seed: int
) -> None:
    chance = random.Random(seed)
    versions = dict.fromkeys("abc", 0)
    log: list[Record] = []
    for offset in range(60):
        sku = chance.choice("abc")
        if chance.random() < 0.3:
            log.append(gone(offset, sku))
        else:
            versions[sku] += 1
            log.append(says(offset, sku, versions[sku], f"name {offset}"))
    at = 0
    while at < len(log):
        step = chance.randint(1, 9)
        await deliver(log[at : at + step])
        at = max(at + step - chance.choice([0, 0, 5]), 0) if at + step < len(log) else len(log)
    last = {each.key: each for each in log}
    expected = sorted((each.key or b"").decode() for each in last.values() if each.value is not None)
    found = await contents(gifts)
    assert [row[0] for row in found] == expected
    for sku, name, *_ in found:
        assert name == f"name {last[sku.encode()].offset}"
