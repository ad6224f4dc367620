"""The Elasticsearch sink on a real server."""

import dataclasses
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Any

import pytest
from elasticsearch import AsyncElasticsearch

from connectors.elasticsearch import indices
from connectors.elasticsearch.index import Deletion, Document, Index, Write
from connectors.elasticsearch.sink import LARGEST_BYTES, LEAST_BYTES, ElasticsearchSink
from connectors.runtime.record import Record
from connectors.runtime.sink import BatchRefusedError, Entry, Refusal, SinkUnavailableError
from schemas.order import OrderStatus
from sinks.elasticsearch import INDICES, PROJECTIONS
from sinks.order.index import ORDERS
from sinks.product.index import PRODUCTS
from tests.unit.sinks.messages import event, order, product, stock, uid
from tests.unit.sinks.records import batch, record
from topics import registry as t

ORDER = uid("order")


@pytest.fixture
async def client(elasticsearch: str) -> AsyncIterator[AsyncElasticsearch]:
    async with AsyncElasticsearch(elasticsearch) as connected:
        yield connected


@pytest.fixture
async def names(client: AsyncElasticsearch) -> AsyncIterator[dict[str, str]]:
    """Return indices of this test's own by alias: the server may serve others."""
    made = {index.alias: f"test-{uuid.uuid4().hex}" for index in INDICES}
    for index in INDICES:
        await indices.create_beside(client, index, made[index.alias])
    yield made
    await client.indices.delete(index=list(made.values()))


@pytest.fixture
async def sink(elasticsearch: str, names: dict[str, str]) -> AsyncIterator[ElasticsearchSink]:
    writing = ElasticsearchSink(elasticsearch, INDICES, targets=names)
    yield writing
    await writing.close()


async def write(sink: ElasticsearchSink, records: Iterable[Record]) -> None:
    assert await sink.write(batch(PROJECTIONS, records)) == ()


def created(version: int, **changes: Any) -> Record:
    return record(t.PRODUCT_CREATED, event(t.PRODUCT_CREATED, "85123A", version, product(**changes)))


def left(version: int, available: int) -> Record:
    return record(t.INVENTORY_UPDATED, event(t.INVENTORY_UPDATED, "85123A", version, stock(available)))


async def test_an_orders_highest_version_wins_whatever_the_order_of_arrival(
    sink: ElasticsearchSink, client: AsyncElasticsearch, names: dict[str, str]
) -> None:
    placed = record(t.ORDER_PLACED, event(t.ORDER_PLACED, ORDER, 1, order()))
    confirmed = event(t.ORDER_CONFIRMED, ORDER, 2, order(OrderStatus.CONFIRMED, total=99))
    await write(sink, [record(t.ORDER_CONFIRMED, confirmed)])
    await write(sink, [placed])
    await write(sink, [placed, record(t.ORDER_CONFIRMED, confirmed)])
    found = await client.get(index=names[ORDERS.alias], id=ORDER)
    assert (found["_version"], found["_source"]["status"], found["_source"]["total"]) == (2, "confirmed", 99)
    assert (found["_source"]["line_count"], found["_source"]["units"]) == (2, 8)


async def test_a_product_and_what_is_left_of_it_have_versions_of_their_own(
    sink: ElasticsearchSink, client: AsyncElasticsearch, names: dict[str, str]
) -> None:
    await write(sink, [left(7, 12)])
    await write(sink, [created(2, price=300), created(1, price=100), left(6, 99)])
    await write(sink, [created(1, price=100), left(8, 11)])
    source = (await client.get(index=names[PRODUCTS.alias], id="85123A"))["_source"]
    assert (source["price"], source["version"]) == (300, 2)
    assert (source["available"], source["stock_version"]) == (11, 8)


async def test_a_deleted_product_is_not_brought_back_by_an_older_event(
    sink: ElasticsearchSink, client: AsyncElasticsearch, names: dict[str, str]
) -> None:
    deleted = event(t.PRODUCT_DELETED, "85123A", 2, product(active=False))
    await write(sink, [record(t.PRODUCT_DELETED, deleted)])
    await write(sink, [created(1)])
    assert (await client.get(index=names[PRODUCTS.alias], id="85123A"))["_source"]["active"] is False


async def test_a_deletion_has_its_version_as_any_other_write(
    sink: ElasticsearchSink, client: AsyncElasticsearch, names: dict[str, str]
) -> None:
    async def came(*writes: Write) -> bool:
        assert await sink.write([Entry(created(1), (each,)) for each in writes]) == ()
        return bool(await client.exists(index=names[ORDERS.alias], id=ORDER))

    def document(version: int) -> Document:
        return Document(ORDERS.alias, ORDER, version, {"total": version})

    assert await came(document(3))
    assert not await came(Deletion(ORDERS.alias, ORDER, 5))
    assert not await came(document(4)), "an older version does not bring it back"
    assert await came(document(6))
    assert await came(Deletion(ORDERS.alias, ORDER, 5)), "nor does an older end take it away"
    assert await came(Deletion(ORDERS.alias, uid("nobody"), 1)), "what never was is deleted"


@pytest.fixture
async def cramped(client: AsyncElasticsearch) -> AsyncIterator[None]:
    """Let the server take requests of some 100 kB as a whole: it answers larger ones with 429."""
    limits = {"network.breaker.inflight_requests.limit": "150kb", "rest.incremental_bulk": False}
    await client.cluster.put_settings(persistent=limits)
    yield
    await client.cluster.put_settings(persistent=dict.fromkeys(limits))


@pytest.mark.usefixtures("cramped")
async def test_a_server_that_has_no_room_gets_smaller_requests(
    sink: ElasticsearchSink, client: AsyncElasticsearch, names: dict[str, str]
) -> None:
    writes: list[Entry[Write]] = [
        Entry(created(1), (Document(ORDERS.alias, uid(f"{number}"), 1, {"email": "x" * 4_000}),))
        for number in range(200)
    ]
    with pytest.raises(SinkUnavailableError, match="429"):
        await sink.write(writes)
    while True:
        with suppress(SinkUnavailableError):
            assert await sink.write(writes) == (), "none of them is to blame"
            break
    assert LEAST_BYTES <= sink.request_bytes < LARGEST_BYTES
    await client.indices.refresh(index=names[ORDERS.alias])
    assert (await client.count(index=names[ORDERS.alias]))["count"] == 200


async def test_what_is_refused_is_named_and_the_rest_is_written(
    sink: ElasticsearchSink, client: AsyncElasticsearch, names: dict[str, str]
) -> None:
    good = batch(PROJECTIONS, [record(t.ORDER_PLACED, event(t.ORDER_PLACED, ORDER, 1, order()))])
    bad: Entry[Write] = Entry(good[0].record, (Document(ORDERS.alias, uid("bad"), 1, {"total": "a lot"}),))
    (refusal,) = await sink.write([bad, *good])
    assert isinstance(refusal, Refusal)
    assert refusal.index == 0
    assert "total" in refusal.error
    assert await client.exists(index=names[ORDERS.alias], id=ORDER)


async def test_a_request_that_is_refused_as_a_whole_can_be_divided(sink: ElasticsearchSink) -> None:
    endless: Entry[Write] = Entry(created(1), (Document(ORDERS.alias, "x" * 600, 1, {}),))
    with pytest.raises(BatchRefusedError):
        await sink.write([endless])


async def test_the_index_is_made_behind_its_alias_and_swapped_for_another(
    elasticsearch: str, client: AsyncElasticsearch
) -> None:
    alias = f"test-{uuid.uuid4().hex}"
    index = dataclasses.replace(ORDERS, alias=alias)
    writes: list[Entry[Write]] = [Entry(created(1), (Document(alias, "1", 5, {"total": 1}),))]
    first, second = (ElasticsearchSink(elasticsearch, [index]) for _ in range(2))
    assert await first.write(writes) == ()
    assert await second.write(writes) == (), "a second process finds the index made"
    assert index.first in await client.indices.get_alias(name=alias)
    beside = f"{alias}-beside"
    await indices.create_beside(client, index, beside)
    await indices.swap(client, index, beside)
    assert list(await client.indices.get_alias(name=alias)) == [beside]
    assert await indices.old(client, index) == [index.first]
    assert await second.write(writes) == (), "writers by alias go on"
    assert await client.exists(index=beside, id="1")
    for writing in (first, second):
        await writing.close()
    await indices.drop_old(client, index)
    assert not await client.indices.exists(index=index.first)
    await client.indices.delete(index=beside)


async def test_an_index_that_went_away_is_unavailable_then_made_again(
    elasticsearch: str, client: AsyncElasticsearch
) -> None:
    index: Index = dataclasses.replace(ORDERS, alias=f"test-{uuid.uuid4().hex}")
    writes: list[Entry[Write]] = [Entry(created(1), (Document(index.alias, "1", 5, {"total": 1}),))]
    sink = ElasticsearchSink(elasticsearch, [index])
    assert await sink.write(writes) == ()
    await client.indices.delete(index=index.first)
    with pytest.raises(SinkUnavailableError):
        await sink.write(writes)
    assert await sink.write(writes) == ()
    await sink.close()
    await client.indices.delete(index=index.first)


async def test_a_server_that_is_away_is_unavailable() -> None:
    sink = ElasticsearchSink("http://127.0.0.1:9", INDICES)
    with pytest.raises(SinkUnavailableError):
        await sink.write(batch(PROJECTIONS, [created(1)]))
    await sink.close()
