"""A whole purchase over HTTP, as a shopper feels it: two adds and a checkout, until the order is confirmed.

On the settings that a newcomer gets, against the same purchase in a shop without Kafka: FastAPI, asyncpg,
one transaction with row locks, the same payment provider, a database of its own on the same server. Both are
there during the whole run; what one costs while the other buys is that of idle processes.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import partial

from tests.bench.platform import cpu_seconds, doctor, platform
from tests.bench.purchase.shoppers import Bought, Shoppers
from tests.bench.purchase.synchronous_shop import SynchronousShop, synchronous_shop
from tests.bench.shopfront import stock_the_shop
from tests.bench.step import Case, InvariantError, Options, Sample, Step
from tests.bench.warm_up import warm_up
from topics.settings import Settings

SKUS = [f"BENCH-{n:04}" for n in range(1_000)]
PIECES = 1_000_000
IN_FLIGHT = {1: 100, 8: 400, 32: 800, 64: 800, 256: 1_500}
"""How many purchases are made with so many in flight."""
_TARGETS: dict[int, dict[str, str]] = {
    1: {"p50 ms": "<= 45", "p99 ms": "<= 90"},
    32: {"value": ">= 300", "cpu ms": "<= 6"},
    64: {"value": ">= 300", "p99 ms": "<= 350"},
}
_GOALS = {32: 0.8, 256: 1.0}
_USED_BY_BOTH = ("PostgreSQL", "Payment provider")


async def _measured(
    shoppers: Shoppers, count: int, at_once: int, cpu: Callable[[], dict[str, float]]
) -> Sample:
    before = await asyncio.to_thread(cpu)
    bought = await shoppers.buy(count, at_once)
    after = await asyncio.to_thread(cpu)
    if not bought.count:
        raise InvariantError(f"nothing was bought: {bought.errors.most_common(3)}")
    used = {name: after[name] - before.get(name, 0.0) for name in after}
    each = 1000 / bought.count
    return Sample(
        bought.count / bought.seconds,
        {
            **_latencies(bought),
            "errors": float(bought.errors.total()),
            "cpu ms": sum(used.values()) * each,
            "load program cpu ms": bought.own_cpu * each,
            **{f"{name} cpu ms": seconds * each for name, seconds in used.items() if seconds * each > 0.05},
        },
    )


def _latencies(bought: Bought) -> dict[str, float]:
    return {
        "p50 ms": bought.percentile("purchase", 0.5),
        "p95 ms": bought.percentile("purchase", 0.95),
        "p99 ms": bought.percentile("purchase", 0.99),
        **{
            f"{step} {name} ms": bought.percentile(step, share)
            for step in ("first add", "second add", "checkout")
            for name, share in (("p50", 0.5), ("p99", 0.99))
        },
    }


def _synchronous_cpu(settings: Settings, shop: SynchronousShop) -> dict[str, float]:
    shared = {name: used for name, used in cpu_seconds(settings).items() if name.startswith(_USED_BY_BOTH)}
    return {**shared, "shop": shop.cpu()}


async def cases(options: Options) -> AsyncGenerator[Case, None]:
    """Yield a case per number in flight, all on one platform, and let the doctor look at what they left."""
    async with platform() as settings:
        await asyncio.to_thread(stock_the_shop, settings, SKUS, PIECES)
        async with synchronous_shop(settings, SKUS, PIECES) as shop:
            ours, theirs = Shoppers(settings.api_url, SKUS), Shoppers(shop.url, SKUS)
            await warm_up(settings, lambda: ours.buy(300, 16))
            await theirs.buy(300, 16)
            for at_once, count in IN_FLIGHT.items():
                few = options.scaled(count, max(20, at_once * 2))
                yield Case(
                    f"{at_once} in flight",
                    "purchases/s",
                    partial(_measured, ours, few, at_once, partial(cpu_seconds, settings)),
                    baselines={
                        "synchronous": partial(
                            _measured, theirs, few, at_once, partial(_synchronous_cpu, settings, shop)
                        )
                    },
                    goals={"synchronous": _GOALS[at_once]} if at_once in _GOALS else {},
                    targets={**_TARGETS.get(at_once, {}), "errors": "== 0"},
                )
            await shop.check(PIECES, len(SKUS))
        await doctor(settings)


STEP = Step("purchase", "a whole purchase over HTTP, here and in a shop without Kafka", cases)
