"""The API over HTTP: commands accepted, commands waited for, products and pages read, products searched."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from uuid import uuid4

from deploy.processes.table import API
from tests.bench.platform import cpu_seconds, doctor, platform
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


def products(count: int, different: int = len(SKUS), at: str = "/api/v1/products") -> Iterator[Ask]:
    """Yield looks at so many different products, one after the other."""
    return (Ask("GET", f"{at}/{SKUS[number % different]}") for number in range(count))


def categories(count: int) -> Iterator[Ask]:
    """Yield looks at a category's page."""
    return (Ask("GET", "/?category=Bench") for _ in range(count))


def searches(count: int) -> Iterator[Ask]:
    """Yield searches of two words, the second another each time."""
    return (Ask("GET", f"/api/v1/search?q=product+{SKUS[number % len(SKUS)]}") for number in range(count))


async def _throughput(load: WebLoad, asks: Iterator[Ask], cpu: Callable[[], float]) -> Sample:
    before = await asyncio.to_thread(cpu)
    answered = await load.ask(asks, AT_ONCE)
    used = await asyncio.to_thread(cpu) - before
    each = {"API cpu ms": used * 1000 / len(answered.latencies)}
    return Sample(answered.rate, {**_percentiles(answered), **each})


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

        def cpu() -> float:
            return cpu_seconds(settings)[API]

        for sku in SKUS[:: len(SKUS) // 10]:
            await load.until(
                Ask("GET", f"/api/v1/products/{sku}"), lambda body: json.loads(body)["available"] == PIECES
            )
        # The goods that came at once are a backlog, and commands are refused until it is seen to be done.
        await load.until(next(additions(1, 200, WAIT)), lambda _: True)
        await warm_up(settings, lambda: load.ask(additions(200, 200, WAIT), 8))
        counts = {"commands": 2_000, "waits": 200, "products": 3_000, "searches": 1_000, "pages": 500}
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
            lambda: _throughput(load, additions(few["commands"], 202), cpu),
        )
        yield Case("product", "requests/s", lambda: _throughput(load, products(few["products"]), cpu))
        yield Case(
            "product, asked for again and again",
            "requests/s",
            lambda: _throughput(load, products(few["products"], 20), cpu),
            targets={"API cpu ms": "<= 0.3"},
        )
        yield Case("search", "requests/s", lambda: _throughput(load, searches(few["searches"]), cpu))
        yield Case(
            "product's page",
            "requests/s",
            lambda: _throughput(load, products(few["pages"], 20, "/products"), cpu),
        )
        yield Case("category's page", "requests/s", lambda: _throughput(load, categories(few["pages"]), cpu))
        await doctor(settings)


STEP = Step("api", "commands and queries over HTTP, everything running", cases)
