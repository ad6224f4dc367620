"""Brakes on guessing: attempts per account and per client, counted in Redis for all instances."""

import hashlib

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from redis.asyncio import Redis

from api.auth.address import Address
from api.problems import Problem
from api.settings import ApiSettings

_log = structlog.get_logger()

_KNOWN = parse("1/30 days")
"""A client that logged in to an account is known to it for so long."""


class AttemptLimits:
    """Counts logins and registrations; where Redis does not answer, each instance counts for itself.

    An account's attempts are counted per client, and over all clients that have not yet logged in to it: many
    addresses get no more guesses than one, and guessing keeps no owner out who comes from a known address.
    """

    def __init__(self, storage: Storage, limits: ApiSettings) -> None:
        self._shared = FixedWindowRateLimiter(storage)
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._per_account = parse(limits.login_limit)
        self._per_client = parse(limits.client_limit)
        self._over_all = parse(limits.account_limit)

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

    async def attempt(self, client: str, email: str) -> None:
        """Count an attempt; raises a 429 Problem where there were too many."""
        account = _name(email)
        try:
            broken = await self._broken(self._shared, client, account)
        except StorageError as error:
            _log.warning("attempts_counted_alone", error=repr(error))
            broken = await self._broken(self._own, client, account)
        if broken is not None:
            seconds = str(broken.get_expiry())
            raise Problem(429, "too many attempts; try again later", headers={"Retry-After": seconds})

    async def succeeded(self, client: str, email: str) -> None:
        """Remember that a client has logged in to an account: the guesses of others no longer bind it."""
        try:
            await self._shared.hit(_KNOWN, "known", client, _name(email))
        except StorageError as error:
            _log.warning("attempts_counted_alone", error=repr(error))
            await self._own.hit(_KNOWN, "known", client, _name(email))

    async def _broken(
        self, limiter: FixedWindowRateLimiter, client: str, account: str
    ) -> RateLimitItem | None:
        """Count an attempt, and return the limit that it breaks."""
        if not await limiter.hit(self._per_client, client):
            return self._per_client
        if not await limiter.hit(self._per_account, client, account):
            return self._per_account
        known = not await limiter.test(_KNOWN, "known", client, account)
        if known or await limiter.hit(self._over_all, "everyone", account):
            return None
        return self._over_all


def _name(email: str) -> str:
    """Return under which name an account is counted: one for all spellings, and no address in Redis."""
    try:
        key = Address.of(email).key
    except ValueError:
        key = email.strip().lower()
    return hashlib.blake2b(key.encode(errors="replace"), digest_size=16).hexdigest()
