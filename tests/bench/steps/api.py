"""The API over HTTP: commands accepted, commands waited for, products read, products searched."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from uuid import uuid4

from tests.bench.platform import doctor, platform
from tests.bench.shopfront import stock_the_shop
from tests.bench.step import Case, Options, Sample, Step
from tests.bench.warm_up import warm_up
from tests.bench.web_load import Answered, Ask, WebLoad

SKUS = [f"BENCH-{n:04}" for n in range(1_000)]
PIECES = 1_000_000
AT_ONCE = 32
JSON = ("Content-Type", "application/json")
WAIT = ("Prefer", "wait=5")
ITEMS = "/api/v1/cart/items"


def additions(count: int, status: int, *headers: tuple[str, str]) -> Iterator[Ask]:
    """Yield a first item for so many new guests' carts."""
    for number in range(count):
        body = json.dumps({"sku": SKUS[number % len(SKUS)], "quantity": 1}).encode()
        yield Ask("POST", ITEMS, status, body, (JSON, ("X-Cart-Id", str(uuid4())), *headers))


def products(count: int) -> Iterator[Ask]:
    """Yield looks at products, one after the other."""
    return (Ask("GET", f"/api/v1/products/{SKUS[number % len(SKUS)]}") for number in range(count))


def searches(count: int) -> Iterator[Ask]:
    """Yield searches of two words, the second another each time."""
    return (Ask("GET", f"/api/v1/search?q=product+{SKUS[number % len(SKUS)]}") for number in range(count))


async def _throughput(load: WebLoad, asks: Iterator[Ask], at_once: int) -> Sample:
    answered = await load.ask(asks, at_once)
    return Sample(answered.rate, _percentiles(answered))


async def _latency(load: WebLoad, asks: Iterator[Ask]) -> Sample:
    answered = await load.ask(asks, 1)
    return Sample(answered.percentile(0.5), _percentiles(answered))


def _percentiles(answered: Answered) -> dict[str, float]:
    return {"p50 ms": answered.percentile(0.5), "p99 ms": answered.percentile(0.99)}


async def cases(options: Options) -> AsyncGenerator[Case, None]:
    """Yield the API's cases, all on one platform, and let the doctor look at what they left."""
    async with platform() as settings:
        await asyncio.to_thread(stock_the_shop, settings, SKUS, PIECES)
        load = WebLoad(settings.api_url)
        for sku in SKUS[:: len(SKUS) // 10]:
            await load.until(
                Ask("GET", f"/api/v1/products/{sku}"), lambda body: json.loads(body)["available"] == PIECES
            )
        # The goods that came at once are a backlog, and commands are refused until it is seen to be done.
        await load.until(next(additions(1, 200, WAIT)), lambda _: True)
        await warm_up(settings, lambda: load.ask(additions(200, 200, WAIT), 8))
        counts = {"commands": 2_000, "waits": 200, "products": 3_000, "searches": 1_000}
        few = {name: options.scaled(count, 50) for name, count in counts.items()}
        yield Case(
            "Prefer: wait, idle",
            "ms to the changed cart, p50",
            lambda: _latency(load, additions(few["waits"], 200, WAIT)),
            targets={"value": "<= 15", "p99 ms": "<= 40"},
            lower_is_better=True,
        )
        yield Case(
            "commands accepted",
            "requests/s",
            lambda: _throughput(load, additions(few["commands"], 202), AT_ONCE),
        )
        yield Case("product", "requests/s", lambda: _throughput(load, products(few["products"]), AT_ONCE))
        yield Case("search", "requests/s", lambda: _throughput(load, searches(few["searches"]), AT_ONCE))
        await doctor(settings)


STEP = Step("api", "commands and queries over HTTP, everything running", cases)
