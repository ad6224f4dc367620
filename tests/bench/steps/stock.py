"""The stock step: reserve commands in, table change, result out; 10,000 SKUs, Zipf-shaped, one hot SKU."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from schemas.envelope import Message, fresh_id
from schemas.inventory import InventoryReceive, InventoryReserve, RequestedLine
from schemas.product import ProductSnapshot
from streams.inventory.stock.agent import FLOW
from tests.bench import loads
from tests.bench.broker import Parcel
from tests.bench.contest import (
    BASELINES,
    Came,
    Entry,
    as_json,
    baseline_entry,
    flow_entry,
    measure,
    preload,
    source,
)
from tests.bench.ground import ground
from tests.bench.row_lock import RowLock
from tests.bench.step import Case, Measure, Options, Sample, Step
from tests.bench.stock_ledger import Ledger
from tests.stack import Stack
from topics.admin import create
from topics.command import command
from topics.registry import (
    INVENTORY_LINE_REJECTED,
    INVENTORY_LINE_RESERVED,
    INVENTORY_RECEIVE,
    INVENTORY_RESERVE,
    INVENTORY_UPDATED,
    PRODUCT_CREATED,
)
from topics.topic import Topic
from topics.wire import encode

SKUS = tuple(f"SKU-{number:05}" for number in range(10_000))
PIECES = 1_000_000
CURRENCY = "GBP"
# Events per round: the slower ones get less, and are measured as long.
COUNTS = {"candidate": 30_000, "faust": 4_000, "quix": 30_000, "raw": 30_000, "postgres": 2_000}
# A flash sale: twice as many orders as pieces, so it ends sold out.
HOT_SHARE = 0.5


def _candidate(topic: Topic[Any], key: str, data: Any) -> Parcel:
    return topic.name, key.encode(), encode(topic, command(topic, key, data, source="bench"))


def _baseline(where: str, kind: str, key: str, data: Any) -> Parcel:
    envelope = msgspec.to_builtins(command(INVENTORY_RESERVE, key, data, source="bench"))
    return where, key.encode(), as_json({**envelope, "event_type": kind})


def _sale(number: int) -> str:
    return f"FLASH-{number}"


def opening(name: str, pieces: dict[str, int]) -> Iterator[Parcel]:
    """Yield what puts the products on sale and their pieces in the house."""
    for sku, quantity in pieces.items():
        if name == "candidate":
            product = ProductSnapshot(
                f"Product {sku}", "", (), 999, CURRENCY, 10, active=True, created_at=0, updated_at=0
            )
            made: Message[Any] = msgspec.structs.replace(
                command(PRODUCT_CREATED, sku, product, source="bench"), aggregate_version=1
            )
            yield PRODUCT_CREATED.name, sku.encode(), encode(PRODUCT_CREATED, made)
            yield _candidate(INVENTORY_RECEIVE, sku, InventoryReceive(f"opening-{sku}", quantity, "opening"))
        else:
            facts = {"name": f"Product {sku}", "price": 999, "currency": CURRENCY, "active": True}
            yield _baseline(source("stock", name), "receive", sku, {"quantity": quantity, "facts": facts})


def reserves(name: str, keys: Sequence[str]) -> Iterator[Parcel]:
    """Yield a reserve command per key, each of an order of its own."""
    for sku in keys:
        data = InventoryReserve(fresh_id(), CURRENCY, (RequestedLine("1", 1),))
        if name == "candidate":
            yield _candidate(INVENTORY_RESERVE, sku, data)
        else:
            yield _baseline(source("stock", name), "reserve", sku, data)


def stock_entry(stack: Stack, workers: int = 1) -> Entry:
    """Return the real stock flow."""
    answers = (INVENTORY_LINE_RESERVED.name, INVENTORY_LINE_REJECTED.name)
    return flow_entry(stack, FLOW.name, answers, (INVENTORY_UPDATED.name,), workers)


async def cases(options: Options) -> AsyncGenerator[Case, None]:
    """Run all contenders over the same products, case after case."""
    with ground() as stack:
        await asyncio.to_thread(stack.kafka)
        await asyncio.to_thread(create, stack.settings)
        entries = {"candidate": stock_entry(stack)}
        entries |= {name: baseline_entry(stack, "stock", name) for name in BASELINES}
        ledgers = {name: Ledger(name) for name in entries}
        for name, entry in entries.items():
            scarce = int(options.scaled(COUNTS[name]) * HOT_SHARE)
            # Each round has a sale of its own, so that rounds are alike.
            sales = dict.fromkeys(map(_sale, range(options.rounds)), scarce)
            pieces = {**dict.fromkeys(SKUS, PIECES), **sales}
            if name != "raw":
                came = await preload(entry, stack, opening(name, pieces), len(pieces))
                entry.said.update(value for _, _, value in came)
                ledgers[name].levels(came)
        seeds = itertools.count(1)

        def contest(choose: Callable[[int, int], list[str]]) -> tuple[Measure, dict[str, Measure]]:
            async def one(name: str) -> Sample:
                keys = choose(options.scaled(COUNTS[name]), next(seeds))
                ledger = ledgers[name]

                async def check(came: list[Came]) -> None:
                    await asyncio.to_thread(ledger.check, came, keys)

                return await measure(entries[name], stack, reserves(name, keys), check)

            return partial(one, "candidate"), {name: partial(one, name) for name in BASELINES}

        goals = {"faust": 15.0, "quix": 1.25, "raw": 0.5}
        mine, others = contest(lambda count, seed: loads.even(SKUS, count, seed))
        yield Case("even", "events/s", mine, others, goals)
        mine, others = contest(lambda count, seed: loads.zipf(SKUS, count, seed))
        yield Case("zipf", "events/s", mine, others)
        row_lock = RowLock(stack, options.scaled(COUNTS["postgres"]), HOT_SHARE)
        turns = itertools.count()
        mine, others = contest(lambda count, _: loads.hot(_sale(next(turns) // len(entries)), count))
        yield Case(
            "hot", "events/s", mine, {**others, "postgres": row_lock.measure}, {"quix": 2.0, "postgres": 20.0}
        )


STEP = Step("stock", "reserve commands in, table change, result out", cases)
