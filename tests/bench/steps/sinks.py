"""The sinks: records through the real connector into the views, against the same rows by the rawest way.

A round writes into a new database, or new indices. The raw way is given its rows ready made and a connection.
The connector has to read, decode and project them; it is timed from the end of its first write to the end of
its last, so that starting and connecting do not count, nor does the first batch. Both run as the sinks'
process does: on a loop of its kind, with its settings of the collector.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

import asyncpg
import uvloop
from elasticsearch import AsyncElasticsearch
from elasticsearch.helpers import async_bulk

from connectors.elasticsearch import indices
from connectors.elasticsearch.index import Document
from connectors.elasticsearch.sink import ElasticsearchSink
from connectors.postgres.sink import PostgresSink
from connectors.postgres.table import Row, Table
from connectors.runtime.collector import collect_seldom
from connectors.runtime.connector import SinkConnector
from connectors.runtime.projection import AnyProjection, Projection
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry, Refusal, Sink
from schemas.checkout import Address
from schemas.envelope import Message, fresh_id
from schemas.inventory import InventoryUpdated, Movement, MovementKind
from schemas.order import OrderKind, OrderLine, OrderSnapshot, OrderStatus
from sinks.elasticsearch import INDICES
from sinks.inventory.projectors import stock_level_row, stock_movement_row
from sinks.migrate import migrate
from sinks.order.document import order_document
from sinks.order.index import ORDERS
from sinks.order.projectors import order_event_row, order_rows
from sinks.postgres import TABLES
from sinks.verify.spans import spans
from tests.bench.broker import fill
from tests.bench.ground import ground
from tests.bench.step import Case, InvariantError, Options, Sample, Step
from tests.stack import Stack
from topics.admin import create
from topics.command import command
from topics.registry import INVENTORY_UPDATED, ORDER_CONFIRMED
from topics.settings import Settings
from topics.topic import Topic
from topics.wire import encode

T = TypeVar("T")

NOW = 1_790_000_000_000
RAW_RECORDS = 2_000
TABLE_OF: dict[type, Table] = {table.row: table for table in TABLES}
_LANDED = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {} t"


class Refusing:
    """Dead letters of a benchmark: there are none."""

    async def put(self, record: Record, reason: str, error: BaseException | str) -> None:
        """Fail the step."""
        raise InvariantError(f"{record.topic} {record.offset} was refused: {reason}: {error}")


class Clocked:
    """A sink that notes when its batches were written."""

    def __init__(self, sink: Sink[Any]) -> None:
        self._sink = sink
        self._written: list[tuple[float, int]] = []

    async def write(self, batch: Sequence[Entry[Any]]) -> Sequence[Refusal]:
        """Write the batch."""
        refusals = await self._sink.write(batch)
        self._written.append((time.perf_counter(), len(batch)))
        return refusals

    async def close(self) -> None:
        """Disconnect."""
        await self._sink.close()

    @property
    def rate(self) -> float:
        """Return records/s since the first batch was written. Raises InvariantError where it was the only."""
        if len(self._written) < 2:
            raise InvariantError("all fitted into one batch: there is nothing to time")
        (began, _), *rest = self._written
        return sum(records for _, records in rest) / (rest[-1][0] - began)


def orders(count: int) -> Iterator[Message[OrderSnapshot]]:
    """Yield confirmed orders of two lines each."""
    address = Address("Grace Hopper", "GB", "1 Navy Yard", None, "London", "E1 6AN")
    for number in range(count):
        lines = tuple(
            OrderLine(line_id=f"SKU-{n}", sku=f"SKU-{n}", quantity=2, name="Bench product", unit_price=999)
            for n in (number % 1_000, number % 1_000 + 1_000)
        )
        data = OrderSnapshot(
            kind=OrderKind.SALE,
            status=OrderStatus.CONFIRMED,
            cart_id=fresh_id(),
            user_id=fresh_id(),
            email="grace@example.com",
            address=address,
            currency="GBP",
            lines=lines,
            charges=(),
            goods=3_996,
            charged=0,
            total=3_996,
            payment_token=None,
            placed_at=NOW,
            updated_at=NOW,
        )
        yield _event(ORDER_CONFIRMED, fresh_id(), data, 2)


def levels(count: int) -> Iterator[Message[InventoryUpdated]]:
    """Yield movements of stock: 1,000 SKUs in turn, each with a growing version."""
    for number in range(count):
        movement = Movement(MovementKind.RESERVE, 1, fresh_id(), "order")
        data = InventoryUpdated(10_000, number % 1_000, 9_000, 10_000, 0, 10, movement)
        yield _event(INVENTORY_UPDATED, f"SKU-{number % 1_000}", data, number // 1_000 + 1)


def _event(topic: Topic[Any], key: str, data: Any, version: int) -> Message[Any]:
    message = command(topic, key, data, source="bench", occurred_at=NOW)
    return Message(
        **{name: getattr(message, name) for name in message.__struct_fields__ if name != "aggregate_version"},
        aggregate_version=version,
    )


class Room:
    """One topic's records, and the views that they are written to."""

    def __init__(
        self, stack: Stack, projection: Projection[Any, Any], messages: Sequence[Message[Any]]
    ) -> None:
        self._stack = stack
        self._projection = projection
        self.messages = messages
        self._databases: dict[str, str] = {}
        self._newest = {
            (type(row), table.key_of(row)): table.version_of(row)
            for message in messages
            for row in projection.made(message)
            if (table := TABLE_OF.get(type(row))) is not None and table.version is not None
        }

    async def fill(self) -> None:
        """Put the records into the topic."""
        topic = self._projection.topic
        parcels = ((topic.name, one.aggregate_id.encode(), encode(topic, one)) for one in self.messages)
        await asyncio.to_thread(fill, self._stack.settings, parcels)

    async def postgres(self) -> Sample:
        """Write through the connector: rows/s."""
        settings = await self._database("connector")
        rate = await self._connect(settings, lambda: PostgresSink(settings.postgres_dsn, TABLES))
        return Sample(rate * await self._rows() / len(self.messages), {"records/s": rate})

    async def copy(self) -> Sample:
        """Write the rows that landed by COPY alone, 2,000 records at a time: rows/s."""
        settings = await self._database("COPY")
        batches = [self._landing(start) for start in range(0, len(self.messages), RAW_RECORDS)]
        seconds = await _as_a_process(lambda: _copied(settings.postgres_dsn, batches))
        landed = sum(len(rows) for batch in batches for rows in batch.values())
        return Sample(landed / seconds)

    async def compare(self) -> None:
        """Raise InvariantError where the connector's tables differ from those that COPY wrote."""
        found = {}
        for name, dsn in self._databases.items():
            connection = await asyncpg.connect(dsn)
            found[name] = {
                table.name: tuple(await connection.fetchrow(_LANDED.format(table.name))) for table in TABLES
            }
            await connection.close()
        if found["connector"] != found["COPY"]:
            raise InvariantError(f"the views differ: {found}")

    async def elasticsearch(self) -> Sample:
        """Write through the connector: documents/s."""
        url = await self._indices()
        rate = await self._connect(self._stack.settings, lambda: ElasticsearchSink(url, INDICES))
        await self._count(url)
        return Sample(rate)

    async def bulk(self) -> Sample:
        """Write the same documents by the client's own `async_bulk`: documents/s."""
        url = await self._indices()
        actions = [
            {"_index": ORDERS.alias, "_id": each.id, "_source": each.source}
            for message in self.messages
            for each in self._projection.made(message)
            if isinstance(each, Document)
        ]
        seconds = await _as_a_process(lambda: _bulked(url, actions))
        await self._count(url)
        return Sample(len(actions) / seconds)

    async def _connect(self, settings: Settings, made: Callable[[], Sink[Any]]) -> float:
        """Write through a connector: records/s."""
        until = (await spans(settings, [self._projection.topic.name])).ends
        projections: Sequence[AnyProjection[Any]] = (self._projection,)

        async def run() -> float:
            sink = Clocked(made())
            connector: SinkConnector[Any] = SinkConnector(
                "bench", projections, sink, Refusing(), settings, positions=dict.fromkeys(until, 0)
            )
            await connector.run(until)
            return sink.rate

        return await _as_a_process(run)

    async def _database(self, name: str) -> Settings:
        dsn = await asyncio.to_thread(self._stack.fresh_database)
        settings = self._stack.settings.model_copy(update={"postgres": dsn})
        await asyncio.to_thread(migrate, settings)
        self._databases[name] = dsn
        return settings

    async def _rows(self) -> int:
        connection = await asyncpg.connect(self._databases["connector"])
        counts = [await connection.fetchval(f"SELECT count(*) FROM {table.name}") for table in TABLES]
        await connection.close()
        return sum(counts)

    def _landing(self, start: int) -> dict[str, list[Row]]:
        """Return the rows of a batch that are there in the end: of a versioned row, the newest of all."""
        batch: dict[str, list[Row]] = {}
        for message in self.messages[start : start + RAW_RECORDS]:
            for row in self._projection.made(message):
                table = TABLE_OF[type(row)]
                if table.version is None or self._newest[type(row), table.key_of(row)] == table.version_of(
                    row
                ):
                    batch.setdefault(table.name, []).append(row)
        return batch

    async def _indices(self) -> str:
        """Return the URL of an Elasticsearch whose indices are new and empty."""
        url = await asyncio.to_thread(self._stack.elasticsearch_url)
        async with AsyncElasticsearch(url, request_timeout=60) as client:
            for index in INDICES:
                await indices.create(client, index)
                name = f"{index.alias}-{uuid.uuid4().hex}"
                await indices.create_beside(client, index, name)
                await indices.swap(client, index, name)
        return url

    async def _count(self, url: str) -> None:
        async with AsyncElasticsearch(url, request_timeout=60) as client:
            await client.indices.refresh(index=ORDERS.alias)
            found = (await client.count(index=ORDERS.alias))["count"]
        if found != len(self.messages):
            raise InvariantError(f"{found} of {len(self.messages)} orders are in Elasticsearch")


async def _as_a_process(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    collect_seldom()
    return await asyncio.to_thread(lambda: uvloop.run(work()))


async def _copied(dsn: str, batches: Sequence[dict[str, list[Row]]]) -> float:
    """Write rows by COPY, a transaction a batch: seconds."""
    connection = await asyncpg.connect(dsn)
    try:
        began = time.perf_counter()
        for batch in batches:
            async with connection.transaction():
                for table in TABLES:
                    if rows := batch.get(table.name):
                        await connection.copy_records_to_table(
                            table.name, records=rows, columns=table.columns
                        )
        return time.perf_counter() - began
    finally:
        await connection.close()


async def _bulked(url: str, actions: Sequence[dict[str, Any]]) -> float:
    """Write documents by the client's own `async_bulk`: seconds."""
    async with AsyncElasticsearch(url, request_timeout=60) as client:
        began = time.perf_counter()
        await async_bulk(client, actions)
        return time.perf_counter() - began


async def cases(options: Options) -> AsyncGenerator[Case, None]:
    """Yield a case per view and kind of record."""
    with ground() as stack:
        await asyncio.to_thread(stack.kafka)
        await asyncio.to_thread(create, stack.settings)
        goals = {"COPY": 0.5}
        rows = Projection(ORDER_CONFIRMED, order_event_row, ("orders",), latest=order_rows)
        bought = Room(stack, rows, list(orders(options.scaled(20_000))))
        await bought.fill()
        yield Case(
            "postgres orders", "rows/s", bought.postgres, {"COPY": bought.copy}, goals, check=bought.compare
        )
        moved = Room(
            stack,
            Projection(INVENTORY_UPDATED, stock_movement_row, ("stock_movements",), latest=stock_level_row),
            list(levels(options.scaled(40_000))),
        )
        await moved.fill()
        yield Case(
            "postgres stock", "rows/s", moved.postgres, {"COPY": moved.copy}, goals, check=moved.compare
        )
        documents = Projection(ORDER_CONFIRMED, order_document, ("orders",))
        found = Room(stack, documents, bought.messages)
        yield Case(
            "elasticsearch orders",
            "documents/s",
            found.elasticsearch,
            {"async_bulk": found.bulk},
            {"async_bulk": 0.8},
            warm_up=1,
        )


STEP = Step("sinks", "records through the connectors into PostgreSQL and Elasticsearch", cases)
