"""What an index is made of, in a real Elasticsearch."""

import dataclasses
import uuid
from collections.abc import AsyncIterator

import pytest
from elasticsearch import AsyncElasticsearch

from connectors.elasticsearch import indices
from connectors.elasticsearch.index import Document, Index
from connectors.elasticsearch.sink import ElasticsearchSink
from connectors.runtime.sink import Entry, SinkUnavailableError
from deploy.errors import CommandError
from deploy.processes import lifecycle
from sinks.product.index import PRODUCTS
from tests.unit.sinks.messages import event, product
from tests.unit.sinks.records import record
from topics import registry as t
from topics.settings import Settings


@pytest.fixture
async def client(elasticsearch: str) -> AsyncIterator[AsyncElasticsearch]:
    async with AsyncElasticsearch(elasticsearch) as connected:
        yield connected


@pytest.fixture
async def index(client: AsyncElasticsearch) -> AsyncIterator[Index]:
    """Return the products' index under an alias of this test's own."""
    own = dataclasses.replace(PRODUCTS, alias=f"test-{uuid.uuid4().hex}")
    yield own
    await indices.drop(client, own)


def entry(index: Index) -> Entry[Document]:
    message = event(t.PRODUCT_CREATED, "A", 1, product())
    source = {"sku": "A", "name": "Lantern"}
    return Entry(record(t.PRODUCT_CREATED, message), (Document(index.alias, "A", 1, source),))


async def test_a_template_makes_indices_that_others_create(client: AsyncElasticsearch, index: Index) -> None:
    await indices.create(client, index)
    await client.indices.create(index=f"{index.alias}-connect")
    made = (await client.indices.get(index=f"{index.alias}-*")).body
    analysers = [each["settings"]["index"]["analysis"]["analyzer"] for each in made.values()]
    assert len(analysers) == 2
    assert analysers[0] == analysers[1]
    await client.indices.delete(index=f"{index.alias}-connect")


async def test_an_index_of_another_version_takes_nothing_until_it_is_rebuilt(
    elasticsearch: str, client: AsyncElasticsearch, index: Index
) -> None:
    mappings = {**index.mappings, "properties": {"sku": {"type": "keyword"}}}
    await indices.create(client, dataclasses.replace(index, mappings=mappings))
    sink = ElasticsearchSink(elasticsearch, [index])
    with pytest.raises(SinkUnavailableError, match="ecommerce views rebuild elasticsearch"):
        await sink.write([entry(index)])
    rebuilt = f"{index.alias}-2"
    await indices.create_beside(client, index, rebuilt)
    await indices.swap(client, index, rebuilt)
    assert await sink.write([entry(index)]) == ()
    await sink.close()
    assert (await client.get(index=index.alias, id="A"))["_source"]["name"] == "Lantern"


async def test_a_refresh_interval_is_changed_without_another_index(
    elasticsearch: str, client: AsyncElasticsearch, index: Index
) -> None:
    await indices.create(client, index)
    sink = ElasticsearchSink(
        elasticsearch, [dataclasses.replace(index, changeable={"refresh_interval": "7s"})]
    )
    assert await sink.write([entry(index)]) == ()
    await sink.close()
    found = await client.indices.get_settings(index=index.alias, flat_settings=True)
    assert [each["settings"]["index.refresh_interval"] for each in found.values()] == ["7s"]
    assert list(found) == [index.first]


async def test_dropping_leaves_what_is_others(client: AsyncElasticsearch, index: Index) -> None:
    await indices.create(client, index)
    await client.indices.create(index=f"{index.alias}x")
    await indices.drop(client, index)
    await indices.drop(client, index)
    assert list(await client.indices.get(index=f"{index.alias}*")) == [f"{index.alias}x"]
    await client.indices.delete(index=f"{index.alias}x")


def test_reset_names_an_elasticsearch_that_is_not_there(settings: Settings) -> None:
    away = settings.model_copy(update={"elasticsearch": "http://127.0.0.1:9"})
    with pytest.raises(CommandError, match="ECOMMERCE_ELASTICSEARCH"):
        lifecycle.reset(away)
