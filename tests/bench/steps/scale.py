"""Scale: the stock step by workers, partitions, keys and batch size; what an event costs in each."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

from confluent_kafka.admin import ConsumerGroupDescription

from streams.inventory.stock.agent import FLOW
from streams.kernel.lane import MAX_BATCH
from tests.bench import loads
from tests.bench.contest import Came, Entry, measure, preload
from tests.bench.ground import ground
from tests.bench.step import Case, Measure, Options, Sample, Step
from tests.bench.steps.stock import PIECES, opening, reserves, stock_entry
from tests.bench.stock_ledger import Ledger
from tests.eventually import eventually_async
from tests.stack import Stack
from topics.admin import create
from topics.admin_client import client

EVENTS = 30_000
KEYS = 1_000
MANY_KEYS = 100_000
PARTITIONS = 4
SOME_PARTITIONS, MANY_PARTITIONS = 16, 64
WORKERS = (2, 4)
SMALL_BATCHES = (10, 100)


class Field:
    """One broker with the stock flow's topics, and products in it."""

    def __init__(self, stack: Stack, keys: int, options: Options) -> None:
        self._stack = stack
        self._keys = [f"SKU-{number:06}" for number in range(keys)]
        self._count = options.scaled(EVENTS)
        self._ledger = Ledger("candidate")
        self._said: set[bytes] = set()
        self._seed = 0

    async def open(self) -> None:
        """Start the broker and put the products in."""
        await asyncio.to_thread(self._stack.kafka)
        await asyncio.to_thread(create, self._stack.settings)
        pieces = dict.fromkeys(self._keys, PIECES)
        entry = stock_entry(self._stack)
        came = await preload(entry, self._stack, opening("candidate", pieces), len(pieces))
        self._said.update(value for _, _, value in came)
        self._ledger.levels(came)

    async def measure(self, workers: int = 1, max_batch: int | None = None) -> Sample:
        """Measure one round with so many workers."""
        entry: Entry = stock_entry(self._stack, workers)
        entry.said = self._said
        for process in entry.processes:
            if max_batch is not None:
                process.environment = {"BENCH_MAX_BATCH": str(max_batch)}
        self._seed += 1
        keys = loads.even(self._keys, self._count, self._seed)

        async def check(came: list[Came]) -> None:
            await asyncio.to_thread(self._ledger.check, came, keys)

        try:
            return await measure(
                entry, self._stack, reserves("candidate", keys), check, partial(self._shared, workers)
            )
        finally:
            # A static member keeps its partitions until its session ends: the next round has other workers.
            await eventually_async(self._members, lambda count: count == 0, seconds=60)

    async def _shared(self, workers: int) -> None:
        """Wait until so many workers have partitions each."""
        await eventually_async(self._owners, lambda count: count == workers, seconds=60)

    async def _owners(self) -> int:
        members = (await self._group()).members
        return sum(bool(member.assignment.topic_partitions) for member in members)

    async def _members(self) -> int:
        return len((await self._group()).members)

    async def _group(self) -> ConsumerGroupDescription:
        admin = client(self._stack.settings)
        (answer,) = admin.describe_consumer_groups([f"bench.{FLOW.name}"]).values()
        return await asyncio.to_thread(answer.result)


async def cases(options: Options) -> AsyncGenerator[Case, None]:
    """Change one thing at a time; the plain set-up is one worker, 4 partitions, 1,000 keys, full batches."""
    with ground(PARTITIONS) as stack:
        field = Field(stack, KEYS, options)
        await field.open()
        some, many = WORKERS
        fewer: dict[str, Measure] = {
            "1 worker": partial(field.measure, 1),
            f"{some} workers": partial(field.measure, some),
        }
        yield Case(f"{many} workers", "events/s", partial(field.measure, many), fewer)
        smaller: dict[str, Measure] = {
            f"batches of {size}": partial(field.measure, 1, size) for size in SMALL_BATCHES
        }
        yield Case(f"batches of {MAX_BATCH}", "events/s", field.measure, smaller)
        with ground(SOME_PARTITIONS) as middle, ground(MANY_PARTITIONS) as large:
            some_fields, many_fields = Field(middle, KEYS, options), Field(large, KEYS, options)
            await some_fields.open()
            await many_fields.open()
            fewer = {
                f"{PARTITIONS} partitions": field.measure,
                f"{SOME_PARTITIONS} partitions": some_fields.measure,
            }
            yield Case(f"{MANY_PARTITIONS} partitions", "events/s", many_fields.measure, fewer)
        with ground(PARTITIONS) as wide:
            wide_field = Field(wide, MANY_KEYS, options)
            await wide_field.open()
            yield Case(f"{MANY_KEYS} keys", "events/s", wide_field.measure, {f"{KEYS} keys": field.measure})


STEP = Step("scale", "the stock step by workers, partitions, keys and batch size", cases)
