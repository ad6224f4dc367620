"""The load: shoppers who fill carts, buy them with good and bad cards and change their minds; and a buyer."""

import asyncio
import random
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

from tests.chaos.doors import ClosedError, Door, TopicDoor
from tests.chaos.journal import Journal

CARDS = {"tok_visa": 85, "tok_declined": 8, "tok_insufficient": 4, "tok_capture_fails": 3}
CANCELS = 0.1
MOST_LINES = 3
MOST_PIECES = 3
MOST_OPEN = 400
RESTOCKED = 40
RESTOCK_S = 2.0
GRACE_S = 90.0


class Load:
    """Begins `rate` shoppers a second, through each door in turn, and takes goods in now and then."""

    def __init__(
        self,
        doors: Sequence[Door],
        goods: TopicDoor,
        skus: Sequence[str],
        journal: Journal,
        *,
        rate: float,
        chance: random.Random,
    ) -> None:
        self._doors = doors
        self._goods = goods
        self._skus = skus
        self._journal = journal
        self._rate = rate
        self._chance = chance
        self._shoppers: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> int:
        """Return how many shoppers are in the shop."""
        return len(self._shoppers)

    async def run(self, stop: asyncio.Event) -> None:
        """Send shoppers in until told to stop, then wait until each has been answered or given up."""
        began = time.monotonic()
        sent = restocked = 0
        while not stop.is_set():
            due = time.monotonic() - began
            while sent < due * self._rate:
                sent += 1
                if len(self._shoppers) < MOST_OPEN:
                    self._begin(self._shop(self._doors[sent % len(self._doors)]))
            if restocked < due / RESTOCK_S:
                restocked += 1
                self._begin(self._restock(self._chance.choice(self._skus)))
            await asyncio.sleep(0.02)
        closes_at = time.monotonic() + GRACE_S
        for door in (*self._doors, self._goods):
            door.closes_at = closes_at
        await asyncio.gather(*self._shoppers)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._shoppers.add(task)
        task.add_done_callback(self._shoppers.discard)

    async def _shop(self, door: Door) -> None:
        cart = str(uuid4())
        skus = self._chance.sample(self._skus, self._chance.randint(1, MOST_LINES))
        (token,) = self._chance.choices(list(CARDS), list(CARDS.values()))
        cancels = self._chance.random() < CANCELS
        thinks_s = self._chance.uniform(0, 2)
        with suppress(ClosedError):
            wanted = {sku: self._chance.randint(1, MOST_PIECES) for sku in skus}
            for sku, pieces in wanted.items():
                await door.add(cart, sku, pieces)
            order = await door.buy(cart, token, len(wanted), sum(wanted.values()))
            if cancels:
                await asyncio.sleep(thinks_s)
                await door.cancel(cart, order)

    async def _restock(self, sku: str) -> None:
        with suppress(ClosedError):
            await self._goods.receive(sku, RESTOCKED)
