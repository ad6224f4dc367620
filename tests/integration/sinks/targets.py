"""The targets of the behavioural suite: how each is fed, read back, broken, mended, and made to refuse."""

import asyncio
import dataclasses
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import asyncpg
import msgspec
from elasticsearch import AsyncElasticsearch
from redis.asyncio import Redis

from connectors.archive.reader import in_time_order
from connectors.archive.sink import ArchiveSink
from connectors.archive.store import ArchiveStore
from connectors.elasticsearch.sink import ElasticsearchSink
from connectors.postgres.sink import PostgresSink
from connectors.redis.sink import RedisSink
from connectors.runtime.record import Record
from connectors.runtime.sink import Sink
from schemas.checkout import Address
from schemas.codec import decode_fields
from sinks.cart.projectors import cart_key, cart_value
from sinks.order.document import order_document
from sinks.order.index import ORDERS
from sinks.order.projectors import order_event_row, order_rows
from sinks.postgres import TABLES
from sinks.redis import TTL_S
from tests.stack import Stack
from tests.unit.sinks.messages import cart, event, order
from topics import registry as t
from topics.wire import decode, encode


class Target(ABC):
    """A real server or folder, and a view in it that shows of each key the newest version."""

    code: ClassVar[str | None]
    """The target's own word for what is wrong with a record that it rejects."""

    @abstractmethod
    def value(self, key: str, version: int) -> bytes:
        """Return the value of a record that says how the key's aggregate stands at a version."""

    @abstractmethod
    async def rejected(self, key: str) -> bytes:
        """Return the value of a record of the key that the target does not take."""

    @abstractmethod
    def rows(self, record: Record) -> tuple[Any, ...]:
        """Project a record."""

    @abstractmethod
    def sink(self) -> Sink[Any]:
        """Return a sink of the target."""

    @abstractmethod
    async def held(self, keys: Collection[str]) -> dict[str, Any]:
        """Return what the target holds of those of the keys that it holds."""

    def expected(self, versions: Sequence[int]) -> Any:
        """Return what it holds of a key of which records of these versions came, once each."""
        return max(versions)

    @abstractmethod
    async def fail(self) -> None:
        """Break the target, so that it takes nothing."""

    @abstractmethod
    async def mend(self) -> None:
        """Let it take records again."""


class OrderTarget(Target):
    """A target of orders."""

    def value(self, key: str, version: int, **changes: Any) -> bytes:
        return encode(t.ORDER_PLACED, event(t.ORDER_PLACED, key, version, order(**changes)))


class Postgres(OrderTarget):
    """The orders' tables. It holds an order's version, its number of lines, and its events' versions."""

    code = "22021"

    def __init__(self, stack: Stack, dsn: str) -> None:
        self._stack = stack
        self._dsn = dsn

    async def rejected(self, key: str) -> bytes:
        return self.value(key, 1, email="nul \x00")

    def rows(self, record: Record) -> tuple[Any, ...]:
        message = decode(t.ORDER_PLACED, record.value or b"")
        return (*order_rows(message), *order_event_row(message))

    def sink(self) -> Sink[Any]:
        return PostgresSink(self._dsn, TABLES)

    async def held(self, keys: Collection[str]) -> dict[str, Any]:
        database = await asyncpg.connect(self._dsn)
        rows = await database.fetch(
            "SELECT order_id, version,"
            " (SELECT count(*) FROM order_lines l WHERE l.order_id = o.order_id) AS lines,"
            " (SELECT array_agg(e.version ORDER BY e.version) FROM order_events e"
            "  WHERE e.order_id = o.order_id) AS events"
            " FROM orders o WHERE order_id = ANY($1)",
            [UUID(key) for key in keys],
        )
        await database.close()
        return {str(row["order_id"]): (row["version"], row["lines"], row["events"]) for row in rows}

    def expected(self, versions: Sequence[int]) -> Any:
        return max(versions), len(order().lines), sorted(versions)

    async def fail(self) -> None:
        await asyncio.to_thread(self._stack.postgres().stop)

    async def mend(self) -> None:
        await asyncio.to_thread(self._stack.postgres().start)


class Elasticsearch(OrderTarget):
    """An index of orders whose mapping takes numbers for countries. It fails as where the disk is full."""

    code = "document_parsing_exception"

    def __init__(self, url: str, alias: str) -> None:
        self._url = url
        properties = {**ORDERS.mappings["properties"], "country": {"type": "integer"}}
        mappings = {**ORDERS.mappings, "properties": properties}
        self.index = dataclasses.replace(ORDERS, alias=alias, mappings=mappings)

    def value(self, key: str, version: int, **changes: Any) -> bytes:
        return super().value(key, version, **{"address": Address(name="A Shopper", country="44"), **changes})

    async def rejected(self, key: str) -> bytes:
        return self.value(key, 1, address=Address(name="A Shopper", country="United Kingdom"))

    def rows(self, record: Record) -> tuple[Any, ...]:
        (document,) = order_document(decode(t.ORDER_PLACED, record.value or b""))
        return (document._replace(alias=self.index.alias),)

    def sink(self) -> Sink[Any]:
        return ElasticsearchSink(self._url, [self.index])

    async def held(self, keys: Collection[str]) -> dict[str, Any]:
        async with AsyncElasticsearch(self._url) as client:
            found = await client.mget(index=self.index.alias, ids=list(keys))
            return {each["_id"]: each["_version"] for each in found["docs"] if each.get("found")}

    async def fail(self) -> None:
        await self._block(on=True)

    async def mend(self) -> None:
        await self._block(on=False)

    async def _block(self, *, on: bool) -> None:
        blocks = {"index.blocks.read_only_allow_delete": on or None}
        async with AsyncElasticsearch(self._url) as client:
            await client.indices.put_settings(index=self.index.alias, settings=blocks)


class RedisCarts(Target):
    """The carts. It is killed, as Redis is when its machine has no memory left."""

    code = "WRONGTYPE"

    def __init__(self, stack: Stack, url: str) -> None:
        self._stack = stack
        self._url = url

    def value(self, key: str, version: int) -> bytes:
        return encode(t.CART_UPDATED, event(t.CART_UPDATED, key, version, cart("a")))

    async def rejected(self, key: str) -> bytes:
        async with Redis.from_url(self._url) as redis:
            await redis.lpush(cart_key(key), "not a cart")
        return self.value(key, 1)

    def rows(self, record: Record) -> tuple[Any, ...]:
        return cart_value(decode(t.CART_UPDATED, record.value or b""))

    def sink(self) -> Sink[Any]:
        return RedisSink(self._url, TTL_S)

    async def held(self, keys: Collection[str]) -> dict[str, Any]:
        async with Redis.from_url(self._url) as redis:
            found = zip(keys, await redis.mget([cart_key(key) for key in keys]), strict=True)
        return {key: msgspec.json.decode(value)["version"] for key, value in found if value}

    async def fail(self) -> None:
        await asyncio.to_thread(self._stack.redis().kill)

    async def mend(self) -> None:
        await asyncio.to_thread(self._stack.redis().start)


class Archive(OrderTarget):
    """A folder of files, which keeps every record once, and fails as where its disk is gone."""

    code = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def rejected(self, key: str) -> bytes:
        raise NotImplementedError("it takes any bytes")

    def rows(self, record: Record) -> tuple[Any, ...]:
        return (record,)

    def sink(self) -> Sink[Any]:
        return ArchiveSink(str(self._folder))

    def records(self) -> list[Record]:
        store = ArchiveStore(str(self._folder))
        return list(in_time_order(store, list(store.topics()), lambda _: True))

    async def held(self, keys: Collection[str]) -> dict[str, Any]:
        versions: dict[str, list[int]] = defaultdict(list)
        for record in await asyncio.to_thread(self.records):
            said = decode_fields(record.value or b"")
            versions[said["aggregate_id"]].append(said["aggregate_version"])
        return {key: sorted(held) for key, held in versions.items() if key in keys}

    def expected(self, versions: Sequence[int]) -> Any:
        return sorted(versions)

    async def fail(self) -> None:
        self._folder.rename(self._folder.with_suffix(".gone"))
        self._folder.write_text("the disk is not mounted")

    async def mend(self) -> None:
        self._folder.unlink()
        self._folder.with_suffix(".gone").rename(self._folder)
