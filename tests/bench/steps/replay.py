"""Replay: recorded events from their topic's start to the state, or the view, that they come to."""

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator
from functools import partial

import asyncpg

from schemas.cart import CartAdd, CartLine
from schemas.envelope import fresh_id
from sinks.migrate import migrate
from sinks.rebuild import drop_old, rebuild
from sinks.views import choose
from streams.cart.agent import FLOW
from streams.kernel.driver import Driver
from streams.kernel.memory import MemoryRecord
from tables.cart import CART
from tests.bench.broker import fill
from tests.bench.ground import ground
from tests.bench.step import Case, InvariantError, Options, Sample, Step
from tests.bench.steps.sinks import orders
from tests.stack import Stack
from topics.admin import create
from topics.command import command
from topics.registry import CART_ADD, ORDER_CONFIRMED
from topics.wire import encode

CARTS = 1_000
AT_ONCE = 500


def recording(count: int) -> list[MemoryRecord]:
    """Return commands that add pieces to 1,000 carts in turn, as a recording has them."""
    keys = [fresh_id() for _ in range(CARTS)]
    made = []
    for offset, key in enumerate(itertools.islice(itertools.cycle(keys), count)):
        message = command(CART_ADD, key, CartAdd((CartLine("SKU-1", "SKU-1", 1),)), source="bench")
        value = encode(CART_ADD, message)
        made.append(MemoryRecord(CART_ADD.name, 0, offset, key.encode(), value, (), 0, offset))
    return made


async def state(records: list[MemoryRecord]) -> Sample:
    """Replay commands through their flow in memory: events/s. Raises InvariantError."""
    async with Driver(FLOW, partitions=4, max_batch=AT_ONCE) as driver:
        began = time.perf_counter()
        await driver.replay(records)
        seconds = time.perf_counter() - began
        pieces = sum(line.quantity for cart in driver.table(CART).values() for line in cart.lines)
    if pieces != len(records):
        raise InvariantError(f"{pieces} pieces are in the carts, {len(records)} were put there")
    return Sample(len(records) / seconds)


async def views(stack: Stack, count: int) -> Sample:
    """Rebuild the PostgreSQL views from the topics' start, beside the live ones: events/s."""
    began = time.perf_counter()
    chosen = choose("postgres")
    read = (await rebuild(stack.settings, chosen, lambda _: True)).records
    seconds = time.perf_counter() - began
    await drop_old(stack.settings, chosen)
    connection = await asyncpg.connect(stack.settings.postgres_dsn)
    landed = await connection.fetchval("SELECT count(*) FROM orders")
    await connection.close()
    if not read == landed == count:
        raise InvariantError(f"{count} orders are in the topic, {read} were read, {landed} are in the view")
    return Sample(count / seconds)


async def cases(options: Options) -> AsyncGenerator[Case, None]:
    """Yield the state's replay and the views'."""
    yield Case("state, in memory", "events/s", partial(state, recording(options.scaled(20_000))))
    with ground() as stack:
        await asyncio.to_thread(stack.kafka)
        await asyncio.to_thread(stack.postgres)
        await asyncio.to_thread(create, stack.settings)
        await asyncio.to_thread(migrate, stack.settings)
        count = options.scaled(20_000)
        parcels = (
            (ORDER_CONFIRMED.name, one.aggregate_id.encode(), encode(ORDER_CONFIRMED, one))
            for one in orders(count)
        )
        await asyncio.to_thread(fill, stack.settings, parcels)
        yield Case("views, beside the live ones", "events/s", partial(views, stack, count))


STEP = Step("replay", "events from their topic's start to the state, or the view, that they come to", cases)
