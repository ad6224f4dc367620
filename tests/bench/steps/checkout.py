"""A whole checkout of two lines, from its request to the confirmed order, with everything running."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable
from functools import partial
from statistics import median

from tests.bench.checkout_load import CheckoutLoad, Outcome
from tests.bench.platform import cpu_seconds, doctor, platform
from tests.bench.shopfront import fill_carts, stock_the_shop
from tests.bench.step import Case, InvariantError, Options, Sample, Step
from tests.bench.warm_up import warm_up
from topics.settings import Settings

SKUS = [f"BENCH-{n:04}" for n in range(1_000)]
PIECES = 1_000_000
MOST = 2_000
WORKERS = 1
SHARE = 0.8


class Till:
    """Buys rounds of carts on one platform; remembers the sustained rate."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seeds = itertools.count(1)
        self._sustained: list[float] = []

    async def open(self, count: int) -> None:
        """Stock the shop, and buy rounds of `count` carts until it is warm."""
        await asyncio.to_thread(stock_the_shop, self._settings, SKUS, PIECES)
        await warm_up(self._settings, lambda: self._buy(count, lambda load: load.in_flight(256)))

    async def in_flight(self, count: int, most: int) -> Sample:
        """Buy `count` carts with up to `most` in flight: checkouts/s."""
        outcome = await self._buy(count, lambda load: load.in_flight(most))
        return Sample(outcome.rate, _percentiles(outcome))

    async def idle(self, count: int) -> Sample:
        """Buy `count` carts one after the other: ms."""
        outcome = await self._buy(count, lambda load: load.in_flight(1))
        return Sample(outcome.percentile(0.5), _percentiles(outcome))

    async def sustained(self, count: int) -> Sample:
        """Buy `count` carts as fast as it goes, until the last is paid for: checkouts/s."""
        before = await asyncio.to_thread(cpu_seconds, self._settings)
        outcome = await self._buy(count, lambda load: load.in_flight(MOST))
        after = await asyncio.to_thread(cpu_seconds, self._settings)
        self._sustained.append(outcome.settled_rate)
        spent = {f"CPU ms {name}": (after[name] - before[name]) * 1000 / count for name in before}
        return Sample(outcome.settled_rate, {"confirmed/s": outcome.rate, **spent})

    async def at_share(self, seconds: float) -> Sample:
        """Buy at 80 % of the sustained rate for so long: p99 in ms."""
        rate = SHARE * median(self._sustained)
        outcome = await self._buy(max(50, int(rate * seconds)), lambda load: load.at_rate(rate))
        return Sample(outcome.percentile(0.99), {"asked/s": rate, **_percentiles(outcome)})

    async def _buy(self, count: int, how: Callable[[CheckoutLoad], Outcome]) -> Outcome:
        carts = await asyncio.to_thread(fill_carts, self._settings, SKUS, count, next(self._seeds))
        load = CheckoutLoad(self._settings, carts)
        try:
            outcome = await asyncio.to_thread(how, load)
        finally:
            load.close()
        if outcome.refused:
            raise InvariantError(f"{outcome.refused} of {count} checkouts were refused")
        return outcome


def _percentiles(outcome: Outcome) -> dict[str, float]:
    shares = {"p50 ms": 0.5, "p95 ms": 0.95, "p99 ms": 0.99}
    return {name: outcome.percentile(share) for name, share in shares.items()}


async def cases(options: Options) -> AsyncGenerator[Case, None]:
    """Yield the checkout's cases, all on one platform, and let the doctor look at what they left.

    One worker is all that fits beside the servers, so topics have one partition: each more divides the same
    load into batches that cost as much (`scale` shows how).
    """
    async with platform(partitions=WORKERS) as settings:
        till = Till(settings)
        await till.open(options.scaled(3_000, 200))
        yield Case(
            "one in flight",
            "ms to order.confirmed, p50",
            lambda: till.idle(options.scaled(200, 30)),
            targets={"value": "<= 80", "p99 ms": "<= 200"},
            lower_is_better=True,
        )
        for most in (32, 256):
            yield Case(
                f"{most} in flight",
                "checkouts/s",
                partial(till.in_flight, options.scaled(1_500), most),
            )
        yield Case(
            "sustained",
            "checkouts/s",
            lambda: till.sustained(options.scaled(6_000, 300)),
            targets={"value": ">= 600"},
        )
        yield Case(
            "80 % of sustained",
            "ms to order.confirmed, p99",
            lambda: till.at_share(10 * options.size),
            targets={"value": "<= 500"},
            lower_is_better=True,
        )
        await doctor(settings)


STEP = Step("checkout", "a cart of two lines, from checkout.requested to order.confirmed", cases)
