"""Writes batches of values to Redis: one pipeline per flush, each value guarded by its version."""

from collections.abc import Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

from connectors.redis.value import Value
from connectors.runtime.sink import Entry, Refusal, SinkUnavailableError

TIMEOUT_S = 10.0

# Redis runs a script as one step, so no other writer comes between the look and the write.
_GUARDED_SET = """
local known = redis.call('GET', KEYS[1])
if known then
  local ok, value = pcall(cjson.decode, known)
  if ok and type(value) == 'table' and tonumber(value.version or 0) >= tonumber(ARGV[1]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


class RedisSink:
    """A sink of JSON values that expire `ttl_s` seconds after their last write."""

    def __init__(self, url: str, ttl_s: int) -> None:
        self._redis: Redis = Redis.from_url(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=None
        )
        self._guarded_set = self._redis.register_script(_GUARDED_SET)
        self._ttl_s = ttl_s

    async def write(self, batch: Sequence[Entry[Value]]) -> Sequence[Refusal]:
        """Write the batch's highest version of each key; a key that has a higher one stays as it is.

        It refuses nothing: Redis takes any text. Raises SinkUnavailableError where Redis does not answer.
        """
        newest: dict[str, Value] = {}
        for entry in batch:
            for value in entry.rows:
                known = newest.get(value.key)
                if known is None or value.version > known.version:
                    newest[value.key] = value
        if not newest:
            return ()
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for value in newest.values():
                    await self._guarded_set(
                        keys=[value.key], args=[value.version, value.json, self._ttl_s], client=pipeline
                    )
                await pipeline.execute()
        except (RedisError, OSError) as error:
            raise SinkUnavailableError(f"{type(error).__name__}: {error}") from error
        return ()

    async def close(self) -> None:
        """Disconnect."""
        await self._redis.aclose()
