"""Scale: the stock step by workers, partitions, keys and batch size; what an event costs in each."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

from streams.inventory.stock.agent import FLOW
from tests.bench import loads
from tests.bench.contest import Came, Entry, measure, preload
from tests.bench.ground import ground
from tests.bench.step import Case, Measure, Options, Sample, Step
from tests.bench.steps.stock import PIECES, opening, reserves, stock_entry
from tests.bench.stock_ledger import Ledger
from tests.eventually import eventually_async
from tests.stack import Stack
from topics.admin import client, create

EVENTS = 20_000
KEYS = 1_000
MANY_KEYS = 100_000
PARTITIONS = 4
MORE_PARTITIONS = (16, 64)
WORKERS = (2, 4)
BATCHES = (10, 100)


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
            return await measure(entry, self._stack, reserves("candidate", keys), check)
        finally:
            # A static member keeps its partitions until its session ends: the next round has other workers.
            await eventually_async(self._members, lambda count: count == 0, seconds=60)

    async def _members(self) -> int:
        admin = client(self._stack.settings)
        (answer,) = admin.describe_consumer_groups([f"bench.{FLOW.name}"]).values()
        group = await asyncio.to_thread(answer.result)
        return len(group.members)


async def cases(options: Options) -> AsyncGenerator[Case, None]:
    """Change one thing at a time; the candidate is the stated change, `one` the plain set-up."""
    with ground(PARTITIONS) as stack:
        field = Field(stack, KEYS, options)
        await field.open()
        one = {"one worker": partial(field.measure, 1)}
        for workers in WORKERS:
            yield Case(f"{workers} workers", "events/s", partial(field.measure, workers), one)
        default = {"batches of 1000": partial(field.measure, 1)}
        for size in BATCHES:
            yield Case(f"batches of {size}", "events/s", partial(field.measure, 1, size), default)
    for partitions in MORE_PARTITIONS:
        async for case in _alone(f"{partitions} partitions", partitions, KEYS, options):
            yield case
    async for case in _alone(f"{MANY_KEYS} keys", PARTITIONS, MANY_KEYS, options):
        yield case


async def _alone(name: str, partitions: int, keys: int, options: Options) -> AsyncGenerator[Case, None]:
    """Measure on a broker of its own beside one of the plain set-up."""
    with ground(partitions) as stack, ground(PARTITIONS) as plain:
        changed, unchanged = Field(stack, keys, options), Field(plain, KEYS, options)
        await changed.open()
        await unchanged.open()
        baselines: dict[str, Measure] = {f"{PARTITIONS} partitions, {KEYS} keys": unchanged.measure}
        yield Case(name, "events/s", changed.measure, baselines)


STEP = Step("scale", "the stock step by workers, partitions, keys and batch size", cases)
