import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack

import pytest
from elasticsearch import AsyncElasticsearch

from connectors.elasticsearch import indices
from connectors.elasticsearch.sink import ElasticsearchSink
from connectors.runtime.record import Record
from schemas.product import ProductSnapshot
from sinks.elasticsearch import INDICES, PROJECTIONS
from sinks.product.index import PRODUCTS
from sinks.search.backend import Query, SearchBackend, SearchUnavailableError
from sinks.search.elasticsearch import ElasticsearchSearch
from sinks.search.tolerance import TolerantSearch
from tests.integration.search.catalogue import RECORDS, later
from tests.integration.search.suite import Put, SearchSuite
from tests.unit.sinks.records import batch

Write = Callable[[Sequence[Record]], Awaitable[None]]


class TestElasticsearchSearch(SearchSuite):
    @pytest.fixture
    async def indexed(self, elasticsearch: str) -> AsyncIterator[tuple[str, Write]]:
        """Yield the index of the products, and what writes records into it."""
        # An index of this test's own: the server may serve others.
        names = {index.alias: f"test-{uuid.uuid4().hex}" for index in INDICES}
        async with AsyncExitStack() as closing:
            client = await closing.enter_async_context(AsyncElasticsearch(elasticsearch, request_timeout=60))
            for index in INDICES:
                await indices.create_beside(client, index, names[index.alias])
                closing.push_async_callback(client.indices.delete, index=names[index.alias])
            sink = ElasticsearchSink(elasticsearch, INDICES, targets=names)
            closing.push_async_callback(sink.close)

            async def write(records: Sequence[Record]) -> None:
                assert await sink.write(batch(PROJECTIONS, records)) == ()
                await client.indices.refresh(index=names[PRODUCTS.alias])

            await write(RECORDS)
            yield names[PRODUCTS.alias], write

    @pytest.fixture
    def put(self, indexed: tuple[str, Write]) -> Put:
        async def put(products: Mapping[str, ProductSnapshot]) -> None:
            await indexed[1](later(products))

        return put

    @pytest.fixture
    async def backend(self, elasticsearch: str, indexed: tuple[str, Write]) -> AsyncIterator[SearchBackend]:
        backend = TolerantSearch(ElasticsearchSearch(elasticsearch, index=indexed[0]))
        yield backend
        await backend.close()


async def test_a_server_that_is_away_is_said_so() -> None:
    backend = TolerantSearch(ElasticsearchSearch("http://127.0.0.1:9"))
    with pytest.raises(SearchUnavailableError, match="Elasticsearch"):
        await backend.search(Query())
    await backend.close()
