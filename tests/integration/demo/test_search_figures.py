"""The figures read from Elasticsearch, against documents made by the sinks' own projection."""

import uuid

import pytest
from elasticsearch import AsyncElasticsearch

from connectors.elasticsearch.sink import ElasticsearchSink
from connectors.retail.figures import monthly
from connectors.retail.invoices import Invoice, invoices
from connectors.retail.reading import BUNDLED, read_rows
from deploy.demo.reconcile import compare
from deploy.demo.replay import order_ids
from deploy.demo.search import search_figures
from sinks.order.document import order_document
from sinks.order.index import ORDERS
from tests.integration.demo.shop import orders


@pytest.fixture(scope="module")
def shop() -> list[Invoice]:
    return list(invoices(read_rows(BUNDLED)))[:300]


async def test_an_index_that_holds_the_shop_reconciles(elasticsearch: str, shop: list[Invoice]) -> None:
    sink = ElasticsearchSink(elasticsearch, [ORDERS])
    assert not await sink.write(list(orders(shop, order_document)))
    await sink.close()
    held = await search_figures(elasticsearch, order_ids(shop))
    assert compare("elasticsearch", monthly(shop), held, rejected=False) == []


async def test_a_document_that_is_gone_is_a_difference(elasticsearch: str, shop: list[Invoice]) -> None:
    sink = ElasticsearchSink(elasticsearch, [ORDERS])
    assert not await sink.write(list(orders(shop, order_document)))
    await sink.close()
    gone = next(i for i in shop if i.accepted and not i.returned)
    async with AsyncElasticsearch(elasticsearch) as client:
        await client.delete(index=ORDERS.alias, id=order_ids([gone])[0])
    held = await search_figures(elasticsearch, [*order_ids(shop), str(uuid.uuid4())])
    found = {d.figure for d in compare("elasticsearch", monthly(shop), held, rejected=False)}
    assert {"sales", "accepted_rows", "gross", "sale_totals"} <= found
