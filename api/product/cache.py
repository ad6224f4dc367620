"""Products kept in Redis beside the database of views (cache-aside): facts five minutes, stock 1.5 seconds.

An entry serves while it is no older than the newest version that the sinks have announced for its SKU. Many
who miss the same product at once wait for one reading of it. Where Redis does not answer, the database
answers alone, and Redis is left in peace for a while.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec
import structlog
from prometheus_client import Counter
from redis.exceptions import RedisError

from api.product.in_front import InFront
from api.product.models import Product
from api.product.queries import Catalogue
from api.redis_line import Strings
from connectors.payments.gathering import Gathering
from sinks.product.cached import newest_key

FACTS_S = 300.0
STOCK_S = 1.5
JITTER = 0.1
"""Share by which lifetimes differ, so that what was kept together does not end together."""

PATIENCE_S = 1.0
PEACE_S = 5.0
"""How long Redis gets to answer, and how long it is not asked after it did not."""

_COUNTED_TOGETHER = 500

T = TypeVar("T")

_log = structlog.get_logger()

LOOKUPS = Counter(
    "api_product_cache_total",
    "Products looked up: held by the process, hit or miss in Redis, or off (no Redis).",
    ["result"],
)


class _Newest(msgspec.Struct, frozen=True):
    version: int


_facts = msgspec.json.Decoder(dict[str, Any])
_newest = msgspec.json.Decoder(_Newest)


class Source(Catalogue, Protocol):
    """The catalogue behind the cache."""

    async def available(self, skus: Iterable[str]) -> dict[str, int]:
        """Return how many pieces can be reserved, by SKU."""
        ...


class CachedCatalogue(InFront):
    """A catalogue in front of another."""

    def __init__(self, behind: Source, redis: Strings) -> None:
        super().__init__(behind)
        self._behind = behind
        self._redis = redis
        self._flights: dict[str, asyncio.Task[dict[str, Product]]] = {}
        self._off_until = 0.0
        # What many shoppers' carts show is counted together: while a query is under way, the next one fills.
        self._counting: Gathering[str, int] = Gathering(self._count, _COUNTED_TOGETHER, 0.0)

    async def product(self, sku: str) -> Product | None:
        """Return a product, on sale or not."""
        return (await self.products([sku])).get(sku)

    async def products(self, skus: Iterable[str]) -> dict[str, Product]:
        """Return the products that exist among `skus`."""
        wanted = list(dict.fromkeys(skus))
        if not wanted:
            return {}
        looked_up = await self._look_up(wanted)
        kept = {sku: found for sku, found in looked_up.items() if found.product is not None}
        LOOKUPS.labels("hit").inc(len(kept))
        LOOKUPS.labels("miss" if looked_up else "off").inc(len(wanted) - len(kept))
        missing = [sku for sku in wanted if sku not in kept]
        newest = {sku: found.newest for sku, found in looked_up.items()}
        read = await self._read(missing, newest) if missing else {}
        return {**await self._with_stock(kept), **read}

    async def _look_up(self, skus: Sequence[str]) -> dict[str, "_Found"]:
        keys = [key for sku in skus for key in (_facts_key(sku), newest_key(sku), _stock_key(sku))]
        answer = await self._ask(lambda: self._redis.mget(keys))
        if answer is None:
            return {}
        parts = zip(answer[::3], answer[1::3], answer[2::3], strict=True)
        return {sku: _found(*part) for sku, part in zip(skus, parts, strict=True)}

    async def _with_stock(self, kept: Mapping[str, "_Found"]) -> dict[str, Product]:
        unknown = [sku for sku, found in kept.items() if found.available is None]
        pieces = await asyncio.gather(*(self._counting.answer(sku) for sku in unknown)) if unknown else ()
        counted = dict(zip(unknown, pieces, strict=True))
        products = {}
        for sku, found in kept.items():
            available = counted.get(sku, 0) if found.available is None else found.available
            products[sku] = Product.model_construct(**(found.product or {}), available=available)
        return products

    async def _count(self, skus: Sequence[str]) -> list[int]:
        found = await self._behind.available(dict.fromkeys(skus))
        counted = {sku: found.get(sku, 0) for sku in skus}
        await self._keep({}, counted)
        return [counted[sku] for sku in skus]

    async def _read(self, skus: Sequence[str], newest: Mapping[str, int]) -> dict[str, Product]:
        """Read from behind what nobody else is reading just now, and wait for all of it."""
        mine = [sku for sku in skus if sku not in self._flights]
        if mine:
            flight = asyncio.create_task(self._fetch(mine, newest))
            self._flights |= dict.fromkeys(mine, flight)
            flight.add_done_callback(lambda _done: [self._flights.pop(sku) for sku in mine])
        flights = dict.fromkeys(self._flights[sku] for sku in skus)
        # A shopper who goes away must not take the reading from those who wait for it.
        landed = await asyncio.gather(*(asyncio.shield(flight) for flight in flights))
        found = {sku: product for products in landed for sku, product in products.items()}
        return {sku: found[sku] for sku in skus if sku in found}

    async def _fetch(self, skus: Sequence[str], newest: Mapping[str, int]) -> dict[str, Product]:
        found = await self._behind.products(skus)
        # A row that the sinks know to be outdated is shown, but not kept.
        facts = {sku: each for sku, each in found.items() if each.version >= newest.get(sku, 0)}
        await self._keep(facts, {sku: each.available for sku, each in found.items()})
        return found

    async def _keep(self, products: Mapping[str, Product], stock: Mapping[str, int]) -> None:
        sets = [
            (_facts_key(sku), msgspec.json.encode(product.model_dump(exclude={"available"})), FACTS_S)
            for sku, product in products.items()
        ] + [(_stock_key(sku), b"%d" % available, STOCK_S) for sku, available in stock.items()]

        async def keep() -> bool:
            await asyncio.gather(
                *(self._redis.set(key, value, px=_lifetime_ms(seconds)) for key, value, seconds in sets)
            )
            return True

        await self._ask(keep)

    async def _ask(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """Return Redis's answer, None where there is none."""
        if time.monotonic() < self._off_until:
            return None
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await ask()
        except (RedisError, OSError, TimeoutError) as error:
            if time.monotonic() >= self._off_until:
                _log.warning("product_cache_off", error=repr(error), seconds=PEACE_S)
            self._off_until = time.monotonic() + PEACE_S
            return None


class _Found(NamedTuple):
    """What the cache has of a SKU: its facts where they are fresh, the newest version, pieces where known."""

    product: dict[str, Any] | None
    newest: int
    available: int | None


def _found(facts: bytes | str | None, newest: bytes | str | None, available: bytes | str | None) -> _Found:
    version = _newest.decode(newest).version if newest else 0
    product = _facts.decode(facts) if facts else None
    if product is not None and product["version"] < version:
        product = None
    return _Found(product, version, None if available is None else int(available))


def _facts_key(sku: str) -> str:
    return f"product:{sku}"


def _stock_key(sku: str) -> str:
    return f"product:{sku}:stock"


def _lifetime_ms(seconds: float) -> int:
    return int(seconds * 1000 * random.uniform(1 - JITTER, 1))  # noqa: S311 (no secret)
