"""Writes batches of values to Redis: one pipeline per flush, each value guarded by its version."""

from collections.abc import Iterable, Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from connectors.redis.value import Value
from connectors.runtime.sink import Entry, Refusal, SinkUnavailableError

TIMEOUT_S = 10.0

# Redis runs a script as one step, so no other writer comes between the look and the write.
_GUARDED_SET = """
local known = redis.call('GET', KEYS[1])
if known then
  local ok, value = pcall(cjson.decode, known)
  if ok and type(value) == 'table' and (tonumber(value.version) or 0) >= tonumber(ARGV[1]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""

_WRONG_TYPE = "WRONGTYPE"
"""What Redis says of a key that something else is kept under. All else is its own state, and passes."""


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

        It refuses the entry whose key is not a value's. Raises SinkUnavailableError where Redis does not
        answer or takes no writes now (out of memory, loading, read-only): the batch may be written in part.
        """
        newest: dict[str, tuple[int, Value]] = {}
        for position, entry in enumerate(batch):
            for value in entry.rows:
                known = newest.get(value.key)
                if known is None or value.version > known[1].version:
                    newest[value.key] = (position, value)
        if not newest:
            return ()
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for _, value in newest.values():
                    await self._guarded_set(
                        keys=[value.key], args=[value.version, value.json, self._ttl_s], client=pipeline
                    )
                answers = await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            raise SinkUnavailableError(f"{type(error).__name__}: {error}") from error
        positions = (position for position, _ in newest.values())
        return _refusals(zip(positions, answers, strict=True))

    async def close(self) -> None:
        """Disconnect."""
        await self._redis.aclose()


def _refusals(answers: Iterable[tuple[int, object]]) -> Sequence[Refusal]:
    """Return the refused entries by position. Raises SinkUnavailableError where a write shall be repeated."""
    refusals: dict[int, Refusal] = {}
    for position, answer in answers:
        if isinstance(answer, ResponseError) and _WRONG_TYPE in str(answer):
            refusals[position] = Refusal(position, str(answer), _WRONG_TYPE)
        elif isinstance(answer, Exception):
            raise SinkUnavailableError(f"{type(answer).__name__}: {answer}") from answer
    return tuple(refusals.values())
