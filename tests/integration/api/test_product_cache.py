"""Products beside the views in a real Redis: what is kept, what drops it, and what happens without Redis."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis

from api.product import cache
from api.product.cache import LOOKUPS, CachedCatalogue
from api.product.models import Product
from api.redis_line import RedisLine
from connectors.redis.sink import RedisSink
from sinks.redis import PROJECTIONS, TTL_S
from tests.eventually import eventually_async
from tests.stack import Child, Stack
from tests.unit.api.fakes import FakeCatalogue, product
from tests.unit.sinks.messages import event
from tests.unit.sinks.messages import product as snapshot
from tests.unit.sinks.records import batch, record
from topics import registry as t


@dataclass
class Views(FakeCatalogue):
    """A catalogue that counts its readings, and lets them wait for `open`."""

    readings: list[list[str]] = field(default_factory=list)
    stock: dict[str, int] = field(default_factory=dict)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        super().__init__(product("A"), product("B"))
        self.open.set()

    async def products(self, skus: Iterable[str]) -> dict[str, Product]:
        self.readings.append(list(skus))
        await self.open.wait()
        return await super().products(skus)

    async def asked_for(self) -> int:
        return len(self.readings)

    async def available(self, skus: Iterable[str]) -> dict[str, int]:
        return {sku: self.stock[sku] for sku in skus if sku in self.stock}


@pytest.fixture
def views() -> Views:
    return Views()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def line(redis_url: str) -> AsyncIterator[RedisLine]:
    made = RedisLine(redis_url, 2.0)
    yield made
    await made.aclose()


async def announce(url: str, sku: str, version: int) -> None:
    sink = RedisSink(url, TTL_S)
    updated = record(t.PRODUCT_UPDATED, event(t.PRODUCT_UPDATED, sku, version, snapshot()))
    assert await sink.write(batch(PROJECTIONS, [updated])) == ()
    await sink.close()


def looked_up(result: str) -> float:
    return float(LOOKUPS.labels(result)._value.get())


async def test_a_product_is_read_once_and_then_kept(redis: Redis, line: RedisLine, views: Views) -> None:
    cached = CachedCatalogue(views, line)
    hits, misses = looked_up("hit"), looked_up("miss")
    first = await cached.product("A")
    assert await cached.product("A") == first == product("A")
    assert await cached.products(["A", "B", "C"]) == {"A": product("A"), "B": product("B")}
    assert views.readings == [["A"], ["B", "C"]]
    assert (looked_up("hit") - hits, looked_up("miss") - misses) == (2, 3)
    assert 0 < await redis.pttl("product:A") <= cache.FACTS_S * 1000


async def test_an_update_drops_what_is_kept_and_an_older_row_is_not_kept_again(
    line: RedisLine, redis_url: str, views: Views
) -> None:
    cached = CachedCatalogue(views, line)
    await cached.product("A")
    await announce(redis_url, "A", 2)
    assert (await cached.product("A")) == product("A"), "the database has not followed yet"
    assert len(views.readings) == 2
    views.known["A"] = product("A", price=1).model_copy(update={"version": 2})
    for _ in range(2):
        found = await cached.product("A")
        assert found is not None
        assert found.price == 1
    assert len(views.readings) == 3


async def test_stock_is_counted_again_while_the_facts_stay(
    redis: Redis, line: RedisLine, views: Views
) -> None:
    cached = CachedCatalogue(views, line)
    await cached.product("A")
    assert 0 < await redis.pttl("product:A:stock") <= cache.STOCK_S * 1000
    await redis.delete("product:A:stock")
    views.stock["A"] = 3
    found = await cached.product("A")
    assert found is not None
    assert found.available == 3
    assert views.readings == [["A"]]


async def test_many_who_miss_the_same_product_wait_for_one_reading(line: RedisLine, views: Views) -> None:
    cached = CachedCatalogue(views, line)
    views.open.clear()
    asking = [asyncio.create_task(cached.product("A")) for _ in range(50)]
    await eventually_async(views.asked_for, bool)
    impatient = asking.pop()
    impatient.cancel()
    views.open.set()
    assert {found.sku for found in await asyncio.gather(*asking) if found} == {"A"}
    assert views.readings == [["A"]]


async def test_the_shop_goes_on_while_redis_is_killed_and_uses_it_again(
    stack: Stack, redis: Redis, line: RedisLine, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "PEACE_S", 0.2)
    cached = CachedCatalogue(views, line)
    await cached.product("A")
    server: Child = stack.redis()
    server.kill()
    try:
        off = looked_up("off")
        assert [await cached.product("A") for _ in range(3)] == [product("A")] * 3
        assert looked_up("off") - off == 3
        assert views.readings == [["A"]] * 4
    finally:
        server.start()

    async def kept() -> bool:
        await cached.product("A")
        return await redis.get("product:A") is not None

    await eventually_async(kept, bool)
