"""Brakes on guessing: attempts per account and per client, counted in Redis for all instances."""

import structlog
from limits import parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from redis.asyncio import Redis

from api.problems import Problem
from api.settings import ApiSettings

_log = structlog.get_logger()


class AttemptLimits:
    """Counts logins and registrations; where Redis does not answer, each instance counts for itself."""

    def __init__(self, storage: Storage, limits: ApiSettings) -> None:
        self._shared = FixedWindowRateLimiter(storage)
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._per_account = parse(limits.login_limit)
        self._per_client = parse(limits.client_limit)

    @classmethod
    def on_redis(cls, url: str, redis: Redis, limits: ApiSettings) -> "AttemptLimits":
        """Return limits that are counted in Redis, over the connections of `redis`."""
        storage = RedisStorage(
            f"async+{url}",
            implementation="redispy",
            wrap_exceptions=True,
            key_prefix="api:limit",
            connection_pool=redis.connection_pool,  # type: ignore[arg-type] # documented, but not in its types
        )
        return cls(storage, limits)

    async def attempt(self, client: str, account: str) -> None:
        """Count an attempt; raises a 429 Problem where there were too many."""
        allowed = await self._hit(self._shared, client, account.lower())
        if not allowed:
            seconds = str(max(self._per_account.get_expiry(), self._per_client.get_expiry()))
            raise Problem(429, "too many attempts; try again later", headers={"Retry-After": seconds})

    async def _hit(self, limiter: FixedWindowRateLimiter, client: str, account: str) -> bool:
        try:
            return await limiter.hit(self._per_client, client) and await limiter.hit(
                self._per_account, client, account
            )
        except StorageError as error:
            _log.warning("attempts_counted_alone", error=repr(error))
            return await self._hit(self._own, client, account)
