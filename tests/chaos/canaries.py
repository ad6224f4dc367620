"""Canaries: small things that a shopper does all the time, on every partition, each timed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import uuid4

import aiohttp
from confluent_kafka import murmur2

from api.checkout.service import order_id_of
from tests.chaos.doors import PATIENCE_S, ApiDoor, purchase
from tests.chaos.journal import Journal
from tests.chaos.timeline import Lane, Timeline
from topics.settings import Settings

WAIT_S = 3
CART_S, CHECKOUT_S, VIEW_S = 0.4, 1.0, 0.4
CART, CHECKOUT, VIEW = "cart", "checkout", "view"
SEARCH = "/search?q=chaos"


def partition_of(key: str, partitions: int) -> int:
    """Return the partition of a key, as every producer of the platform chooses it."""
    return murmur2(key.encode(), partitions)


def on_partition(partition: int, partitions: int, make: Callable[[], tuple[str, str]]) -> str:
    """Make until the second of the pair falls on the partition, and return the first."""
    while True:
        made, key = make()
        if partition_of(key, partitions) == partition:
            return made


class Canaries:
    """One lane per partition for cart commands and checkouts, one per view for reads.

    `skus` has a product on each partition, so that a checkout's cart, order and stock all are on its own.
    """

    def __init__(
        self, settings: Settings, session: aiohttp.ClientSession, journal: Journal, skus: Mapping[int, str]
    ) -> None:
        self._count = settings.partitions
        self._door = ApiDoor(settings, session, journal)
        self._journal = journal
        self._skus = skus
        self._views = {"catalogue": f"/products/{skus[0]}", "cart": "/cart", "search": SEARCH}
        partitions = [str(number) for number in range(self._count)]
        self.timeline = Timeline(
            [
                *((CART, number) for number in partitions),
                *((CHECKOUT, number) for number in partitions),
                *((VIEW, name) for name in self._views),
            ]
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Let them sing until told to stop."""
        singing = []
        for lane in self.timeline.lanes:
            sing, pause = {
                CART: (self._cart, CART_S),
                CHECKOUT: (self._checkout, CHECKOUT_S),
                VIEW: (self._view, VIEW_S),
            }[lane[0]]
            singing.append(self._lane(lane, sing, pause, stop))
        await asyncio.gather(*singing)

    async def _lane(
        self, lane: Lane, sing: Callable[[str], Awaitable[bool]], pause: float, stop: asyncio.Event
    ) -> None:
        while not stop.is_set():
            began = time.monotonic()
            if await sing(lane[1]):
                self.timeline.served(lane, began, time.monotonic())
            else:
                self.timeline.failed[lane[0]] += 1
            await asyncio.sleep(pause)

    async def _cart(self, name: str) -> bool:
        return await self._filled(int(name), WAIT_S) is not None

    async def _checkout(self, name: str) -> bool:
        partition = int(name)
        cart = await self._filled(partition, 0)
        if cart is None:
            return False

        def make() -> tuple[str, str]:
            key = str(uuid4())
            return key, order_id_of(self._door.guests.caller(cart), key)

        key = on_partition(partition, self._count, make)
        body = purchase("tok_visa", 1, 1)
        status, answer = await self._door.once("POST", "/checkout", cart, body, wait_s=WAIT_S, key=key)
        order = order_id_of(self._door.guests.caller(cart), key)
        if status in (201, 202, 402):
            self._journal.buy(self._door.guests.cart(cart), order)
        if status == 202:
            self._journal.accept(answer["command_id"], "checkout", order)
        return status == 201

    async def _filled(self, partition: int, wait_s: int) -> str | None:
        """Put a piece into a new cart; None where that was not served (with `wait_s`: in time)."""

        def make() -> tuple[str, str]:
            cart = str(uuid4())
            return cart, self._door.guests.cart(cart)

        cart = on_partition(partition, self._count, make)
        body = {"sku": self._skus[partition], "quantity": 1}
        status, answer = await self._door.once(
            "POST", "/cart/items", cart, body, wait_s=wait_s, key=str(uuid4())
        )
        if status in (200, 202):
            self._journal.fill(self._door.guests.cart(cart), self._skus[partition], 1)
        if status == 202:
            self._journal.accept(answer["command_id"], "cart.add", self._door.guests.cart(cart))
        return cart if status == (200 if wait_s else 202) else None

    async def _view(self, name: str) -> bool:
        status, _ = await self._door.once("GET", self._views[name], str(uuid4()))
        return status == 200


def patient() -> aiohttp.ClientSession:
    """Return a client that gives up on an answer in time."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def one_each(skus: Sequence[str], partitions: int) -> dict[int, str]:
    """Return a SKU of each partition. Raises KeyError where one has none."""
    found = {partition_of(sku, partitions): sku for sku in skus}
    return {partition: found[partition] for partition in range(partitions)}
