"""The Redis sink on a real server."""

from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from connectors.redis.sink import RedisSink
from connectors.runtime.record import Record
from connectors.runtime.sink import SinkUnavailableError
from sinks.redis import PROJECTIONS, TTL_S
from tests.stack import Stack
from tests.unit.sinks.messages import cart, event, uid
from tests.unit.sinks.records import batch, record
from topics import registry as t

CART = uid("cart")


def of(version: int, *skus: str) -> Record:
    return record(t.CART_UPDATED, event(t.CART_UPDATED, CART, version, cart(*skus)))


async def stored(url: str) -> dict[str, Any]:
    async with Redis.from_url(url) as redis:
        value: dict[str, Any] = msgspec.json.decode(await redis.get(f"cart:{CART}") or "null")
        return value


async def test_the_highest_version_wins_whatever_the_order_of_arrival(redis_url: str) -> None:
    sink = RedisSink(redis_url, TTL_S)
    await sink.write(batch(PROJECTIONS, [of(2, "b"), of(3, "c"), of(1, "a")]))
    await sink.write(batch(PROJECTIONS, [of(1, "a"), of(2, "b")]))
    assert (await stored(redis_url))["version"] == 3
    await sink.write(batch(PROJECTIONS, [of(4, "c", "d")]))
    await sink.close()
    view = await stored(redis_url)
    assert (view["version"], [line["sku"] for line in view["lines"]]) == (4, ["c", "d"])
    assert (view["cart_id"], view["status"], view["user_id"]) == (CART, "open", uid("user"))


async def test_a_cart_expires_some_weeks_after_its_last_change(redis_url: str) -> None:
    sink = RedisSink(redis_url, TTL_S)
    await sink.write(batch(PROJECTIONS, [of(1, "a")]))
    await sink.close()
    async with Redis.from_url(redis_url) as redis:
        assert TTL_S - 60 < await redis.ttl(f"cart:{CART}") <= TTL_S


async def test_an_expired_cart_comes_back_whole_with_its_next_change(redis_url: str) -> None:
    sink = RedisSink(redis_url, TTL_S)
    await sink.write(batch(PROJECTIONS, [of(3, "a", "b")]))
    async with Redis.from_url(redis_url) as redis:
        await redis.expire(f"cart:{CART}", 100)
        await sink.write(batch(PROJECTIONS, [of(3, "a", "b"), of(2, "a")]))
        assert await redis.ttl(f"cart:{CART}") <= 100, "what is delivered again is no change"
        await redis.expire(f"cart:{CART}", 0)
        assert await redis.get(f"cart:{CART}") is None
        await sink.write(batch(PROJECTIONS, [of(4, "a", "b", "c")]))
        assert await redis.ttl(f"cart:{CART}") > 100
    await sink.close()
    view = await stored(redis_url)
    assert (view["version"], [line["sku"] for line in view["lines"]]) == (4, ["a", "b", "c"])


async def test_a_server_without_memory_is_unavailable_until_it_has_some(stack: Stack, redis_url: str) -> None:
    sink = RedisSink(redis_url, TTL_S)
    async with Redis.from_url(stack.redis_admin(redis_url)) as redis:
        as_it_was = await redis.config_get("maxmemory*")
        # Where nothing may be evicted, or nothing is left that may, a full server refuses.
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_set("maxmemory", 1)
        try:
            with pytest.raises(SinkUnavailableError, match="maxmemory"):
                await sink.write(batch(PROJECTIONS, [of(1, "a")]))
        finally:
            for name in ("maxmemory", "maxmemory-policy"):
                await redis.config_set(name, as_it_was[name] or "")
    assert await sink.write(batch(PROJECTIONS, [of(1, "a")])) == ()
    await sink.close()
    assert (await stored(redis_url))["version"] == 1


async def test_a_key_that_holds_something_else_is_refused_alone(redis_url: str) -> None:
    other = uid("other cart")
    async with Redis.from_url(redis_url) as redis:
        await redis.lpush(f"cart:{CART}", "not a cart")
    entries = batch(
        PROJECTIONS, [of(1, "a"), record(t.CART_UPDATED, event(t.CART_UPDATED, other, 1, cart()))]
    )
    sink = RedisSink(redis_url, TTL_S)
    (refusal,) = await sink.write(entries)
    await sink.close()
    assert (refusal.index, refusal.code) == (0, "WRONGTYPE")
    async with Redis.from_url(redis_url) as redis:
        assert await redis.exists(f"cart:{other}")


@pytest.mark.parametrize("found", ["{broken", '{"version": "new"}', '"text"'])
async def test_a_value_that_is_no_cart_is_replaced(redis_url: str, found: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        await redis.set(f"cart:{CART}", found)
    sink = RedisSink(redis_url, TTL_S)
    await sink.write(batch(PROJECTIONS, [of(1, "a")]))
    await sink.close()
    assert (await stored(redis_url))["version"] == 1


async def test_it_works_on_after_the_server_has_forgotten_its_scripts(redis_url: str) -> None:
    sink = RedisSink(redis_url, TTL_S)
    await sink.write(batch(PROJECTIONS, [of(1, "a")]))
    async with Redis.from_url(redis_url) as redis:
        await redis.script_flush()
    await sink.write(batch(PROJECTIONS, [of(2, "a")]))
    await sink.close()
    assert (await stored(redis_url))["version"] == 2


async def test_a_server_that_is_away_is_unavailable() -> None:
    sink = RedisSink("redis://127.0.0.1:9/0", TTL_S)
    with pytest.raises(SinkUnavailableError):
        await sink.write(batch(PROJECTIONS, [of(1, "a")]))
    await sink.close()
