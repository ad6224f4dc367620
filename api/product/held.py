"""Products that this process has just read, held for half a second: what is asked again at once is not read.

What the tail hears of a product drops it, and nothing older is held again, however far the views are behind.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from api.product.cache import LOOKUPS
from api.product.in_front import InFront
from api.product.models import Product
from api.product.queries import Catalogue
from schemas.codec import UndecodableError
from topics.topic import Topic
from topics.wire import decode

HELD_S = 0.5
MOST = 10_000


class HeldCatalogue(InFront):
    """A catalogue in front of another."""

    def __init__(
        self,
        behind: Catalogue,
        seconds: float = HELD_S,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(behind)
        self._behind = behind
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._held: dict[str, tuple[Product, float]] = {}
        self._newest: dict[str, int] = {}

    def hear(self, topic: Topic[Any], key: bytes, value: bytes) -> None:
        """Take a record of a product's event: what is held of it is older."""
        sku = key.decode(errors="replace")
        self._held.pop(sku, None)
        try:
            version = decode(topic, value).aggregate_version
        except UndecodableError:
            return
        _keep(self._newest, sku, max(version, self._newest.get(sku, 0)), self._most)

    async def product(self, sku: str) -> Product | None:
        """Return a product, on sale or not."""
        kept = self._fresh(sku, self._clock())
        if kept is not None:
            LOOKUPS.labels("held").inc()
            return kept
        return (await self._read([sku])).get(sku)

    async def products(self, skus: Iterable[str]) -> dict[str, Product]:
        """Return the products that exist among `skus`."""
        now = self._clock()
        found: dict[str, Product] = {}
        missing = []
        for sku in dict.fromkeys(skus):
            kept = self._fresh(sku, now)
            if kept is None:
                missing.append(sku)
            else:
                found[sku] = kept
        if found:
            LOOKUPS.labels("held").inc(len(found))
        return found | await self._read(missing) if missing else found

    def _fresh(self, sku: str, now: float) -> Product | None:
        kept = self._held.get(sku)
        return kept[0] if kept is not None and kept[1] > now else None

    async def _read(self, skus: list[str]) -> dict[str, Product]:
        # From before it is read: the time that reading takes is part of its age.
        until = self._clock() + self._seconds
        found = await self._behind.products(skus)
        for sku, product in found.items():
            if product.version >= self._newest.get(sku, 0):
                _keep(self._held, sku, (product, until), self._most)
        return found


def _keep(into: dict[str, Any], sku: str, what: object, most: int) -> None:
    """Put in as the newest, and forget the oldest where there are too many."""
    into.pop(sku, None)
    into[sku] = what
    if len(into) > most:
        del into[next(iter(into))]
