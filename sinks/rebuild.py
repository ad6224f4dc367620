"""Rebuilds a view from the start of the topics, beside the live one, and swaps it in without downtime.

1. Fill the new tables or indices up to where the topics end now, then once more up to where they end then.
2. Swap: readers and the live sink find the new ones under the old names from one moment to the next.
3. Read on up to where the topics end after the swap: that covers what the live sink wrote to the old ones
   last. Writes are guarded by versions, so that writing it twice is writing it once.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import asyncpg
import structlog
from aiokafka import TopicPartition
from elasticsearch import AsyncElasticsearch

from connectors.elasticsearch import indices
from connectors.elasticsearch.index import Index, Write
from connectors.elasticsearch.sink import ElasticsearchSink
from connectors.postgres.sink import PostgresSink
from connectors.postgres.swap import swap
from connectors.postgres.table import Row
from connectors.redis.sink import RedisSink
from connectors.runtime.connector import SinkConnector
from connectors.runtime.dead_letters import DeadLetterTopic
from connectors.runtime.positions import ends
from connectors.runtime.projection import AnyProjection
from connectors.runtime.sink import Sink
from sinks import elasticsearch, postgres, redis
from sinks.indices import INDICES
from sinks.migrate import SCHEMA, migrate
from sinks.rows import TABLES
from topics.producer import MessageProducer
from topics.settings import Settings

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)

log = structlog.get_logger(__name__)

BESIDE = "rebuild"


class Beside(Protocol[R_contra]):
    """A view under construction beside the live one."""

    async def prepare(self) -> None:
        """Make it, empty; what an interrupted rebuild left is dropped."""
        ...

    def sink(self) -> Sink[R_contra]:
        """Return a sink that writes to it, before the swap and after."""
        ...

    async def swap(self) -> None:
        """Put it in the live one's place."""
        ...


class PostgresBeside:
    """The views' tables in a schema of their own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def prepare(self) -> None:
        """Migrate an empty schema."""
        connection = await asyncpg.connect(self._settings.postgres_dsn)
        await connection.execute(f'DROP SCHEMA IF EXISTS "{BESIDE}" CASCADE')
        await connection.close()
        await asyncio.to_thread(migrate, self._settings, BESIDE)

    def sink(self) -> Sink[Row]:
        """Return a sink that finds the schema's tables first, and the live ones once it is gone."""
        return PostgresSink(self._settings.postgres_dsn, TABLES, search_path=f"{BESIDE}, {SCHEMA}")

    async def swap(self) -> None:
        """Rename in one transaction; the users, which no topic has, stay where they are."""
        await swap(self._settings.postgres_dsn, TABLES, BESIDE, SCHEMA)


class ElasticsearchBeside:
    """New indices, without their aliases yet."""

    def __init__(self, url: str, declared: Sequence[Index] = INDICES) -> None:
        self._url = url
        self._declared = declared
        stamp = time.time_ns() // 1_000_000
        self._names = {index.alias: f"{index.alias}-{stamp}" for index in declared}

    async def prepare(self) -> None:
        """Create the indices."""
        async with AsyncElasticsearch(self._url) as client:
            for index in self._declared:
                await indices.create_beside(client, index, self._names[index.alias])

    def sink(self) -> Sink[Write]:
        """Return a sink that writes to the new indices by name."""
        return ElasticsearchSink(self._url, self._declared, targets=self._names)

    async def swap(self) -> None:
        """Let each alias stand for its new index."""
        async with AsyncElasticsearch(self._url) as client:
            for index in self._declared:
                await indices.swap(client, index, self._names[index.alias])


class Rebuild(Generic[R]):
    """One rebuild of one view; `group` is the live sink's, in whose name records are refused."""

    def __init__(
        self,
        settings: Settings,
        projections: Sequence[AnyProjection[R]],
        beside: Beside[R],
        producer: MessageProducer,
        group: str,
    ) -> None:
        self._settings = settings
        self._projections = projections
        self._topics = [each.topic.name for each in projections]
        self._beside = beside
        self._letters = DeadLetterTopic(producer, BESIDE, group)

    async def run(self) -> int:
        """Rebuild the view and return how many records were read up to the swap."""
        await self._beside.prepare()
        first = await ends(self._settings, self._topics)
        await self._read(dict.fromkeys(first, 0), first)
        second = await ends(self._settings, self._topics)
        await self._read(first, second)
        await self._beside.swap()
        log.info("rebuild.swapped", records=sum(second.values()))
        await self._read(second, await ends(self._settings, self._topics))
        return sum(second.values())

    async def _read(self, since: Mapping[TopicPartition, int], until: Mapping[TopicPartition, int]) -> None:
        connector: SinkConnector[Any] = SinkConnector(
            BESIDE, self._projections, self._beside.sink(), self._letters, self._settings, positions=since
        )
        await connector.run(until)


async def rebuild_postgres(settings: Settings) -> int:
    """Rebuild the PostgreSQL views and return how many records were read."""
    async with MessageProducer(settings, BESIDE) as producer:
        return await Rebuild(
            settings, postgres.PROJECTIONS, PostgresBeside(settings), producer, postgres.GROUP
        ).run()


async def rebuild_elasticsearch(settings: Settings) -> int:
    """Rebuild the Elasticsearch views and return how many records were read.

    Raises ValueError where no Elasticsearch is configured.
    """
    if settings.elasticsearch is None:
        raise ValueError("ECOMMERCE_ELASTICSEARCH is not set: there is nothing to rebuild")
    async with MessageProducer(settings, BESIDE) as producer:
        beside = ElasticsearchBeside(settings.elasticsearch)
        return await Rebuild(settings, elasticsearch.PROJECTIONS, beside, producer, elasticsearch.GROUP).run()


async def rebuild_redis(settings: Settings) -> int:
    """Write the carts again, from the start of their topic, and return how many records were read.

    There is nothing to swap: the version in each value guards it while the live sink goes on.
    """
    until = await ends(settings, [each.topic.name for each in redis.PROJECTIONS])
    async with MessageProducer(settings, BESIDE) as producer:
        connector = SinkConnector(
            BESIDE,
            redis.PROJECTIONS,
            RedisSink(settings.redis_url, redis.CART_TTL_S),
            DeadLetterTopic(producer, BESIDE, redis.GROUP),
            settings,
            positions=dict.fromkeys(until, 0),
        )
        await connector.run(until)
    return sum(until.values())


REBUILDS: Mapping[str, Callable[[Settings], Coroutine[None, None, int]]] = {
    "postgres": rebuild_postgres,
    "redis": rebuild_redis,
    "elasticsearch": rebuild_elasticsearch,
}


def rebuild(settings: Settings, view: str) -> int:
    """Rebuild the views of one server, a key of `REBUILDS`, and return how many records were read."""
    return asyncio.run(REBUILDS[view](settings))
