"""The Redis views as a comparison reads them, and what the topics' values would be there."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from connectors.redis.value import Value
from connectors.runtime.sink import Entry, Refusal
from sinks.verify.held import Held, Told, digest, parsed
from sinks.verify.sides import Unreadable
from sinks.verify.spool import Spool

_TIMEOUT_S = 10.0
_PAGE = 1_000

Part = Callable[[str], str | None]
"""The part of a key: the pattern that finds its like; None where it is no sink's."""


class RedisSide:
    """Keys by the pattern that finds them."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def rows(self, part: str) -> AsyncIterator[Held]:
        """Yield every key of a pattern, some twice; one that comes or goes meanwhile may be missed."""
        async with _connected(self._url) as redis:
            bunch: set[str] = set()
            async for name in redis.scan_iter(match=part, count=_PAGE):
                bunch.add(name.decode(errors="replace"))
                if len(bunch) == _PAGE:
                    for held in (await _held(redis, bunch)).values():
                        yield held
                    bunch = set()
            for held in (await _held(redis, bunch)).values():
                yield held

    async def some(self, part: str, keys: Collection[str]) -> Mapping[str, Held]:  # noqa: ARG002 # keys say it
        """Return those of the keys that are there."""
        async with _connected(self._url) as redis:
            return await _held(redis, keys)


class RedisExpected:
    """A sink into a spool: what Redis has to hold once all that it is given is written."""

    def __init__(self, part: Part, spool: Spool) -> None:
        self._part = part
        self._spool = spool

    async def write(self, batch: Sequence[Entry[Value]]) -> Sequence[Refusal]:
        """Keep the highest version of each key; refuses nothing."""
        said: dict[tuple[str, str], Told | None] = {}
        for entry in batch:
            record, values = entry.record, entry.rows
            for value in values:
                part = self._part(value.key)
                if part is None:
                    continue
                known = (
                    said[part, value.key] if (part, value.key) in said else self._spool.get(part, value.key)
                )
                if known is None or value.version > known.version:
                    source = (record.topic, record.partition, record.offset)
                    text = digest([value.key, parsed(value.json)])
                    said[part, value.key] = Told(text, 1, value.version, (source,), record.timestamp)
        self._spool.write(said)
        return ()

    async def close(self) -> None:
        """Do nothing: the spool is its maker's."""


async def _held(redis: Redis, keys: Collection[str]) -> dict[str, Held]:
    if not keys:
        return {}
    names = list(keys)
    values = await redis.mget(names)
    return {
        key: Held(key, digest([key, parsed(value)]))
        for key, value in zip(names, values, strict=True)
        if value is not None
    }


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Redis]:
    try:
        async with Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S) as redis:
            yield redis
    except (RedisError, OSError) as error:
        raise Unreadable(f"Redis: {error}") from error
