"""The API's one connection to a real Redis: with its login, under a burst, after the server was killed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.redis_line import RedisLine
from tests.eventually import eventually_async
from tests.stack import Child, Stack


@pytest.fixture
async def line(redis_url: str) -> AsyncIterator[RedisLine]:
    made = RedisLine(redis_url, 2.0)
    yield made
    await made.aclose()


async def test_a_burst_is_kept_each_with_its_lifetime(line: RedisLine, redis_url: str) -> None:
    await asyncio.gather(*(line.set(f"burst-{number}", b"%d" % number, ex=60) for number in range(500)))
    assert await line.set("burst-1", b"other", px=60_000, nx=True) is None
    assert await line.mget(["burst-1", "burst-499", "none"]) == [b"1", b"499", None]
    async with Redis.from_url(redis_url) as other:
        assert await other.dbsize() == 500, "in the database that the URL names"
        assert 0 < await other.ttl("burst-7") <= 60


async def test_it_is_made_anew_after_the_server_was_killed(line: RedisLine, stack: Stack) -> None:
    await line.set("a", b"1", ex=60)
    server: Child = stack.redis()
    server.kill()
    try:
        with pytest.raises(RedisError):
            await line.get("a")
    finally:
        server.start()

    async def kept() -> bool:
        try:
            return await line.set("a", b"2", ex=60) is True
        except RedisError:
            return False

    await eventually_async(kept)
