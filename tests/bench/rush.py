"""Checkouts asked of the API over HTTP at so many a second, whatever the answers; and what became of each."""

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self
from uuid import uuid4

import aiohttp

from api.checkout.service import order_id_of
from tests.bench.shopfront import PRICE, SILENCE_S, Listener, SilentError
from tests.guests import Guests
from topics.registry import CHECKOUT_FAILED, ORDER_CANCELLED, ORDER_CONFIRMED
from topics.settings import Settings

PATIENCE_S = 30.0
REFUSALS = (429, 503)
_BODY = {
    "payment_token": "tok_visa",
    "email": "grace@example.com",
    "address": {
        "name": "Grace Hopper",
        "country": "GB",
        "line1": "1 Navy Yard",
        "city": "London",
        "postcode": "SW1Y 4JH",
    },
    "expected_lines": 1,
    "cart_version": 0,
    "total": PRICE,
}


@dataclass
class Rush:
    """What came of it. Times are in s, latencies in ms: to the answer, and (`ended`) to `order.confirmed`.

    `offered_s` is until the last was asked, `seconds` until it was answered.
    """

    offered_s: float = 0.0
    seconds: float = 0.0
    statuses: Counter[int | str] = field(default_factory=Counter)
    unhinted: int = 0
    accepted_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    ended_ms: list[float] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """Return how many were accepted."""
        return self.statuses[202]

    @property
    def refused(self) -> int:
        """Return how many were told to come again."""
        return sum(self.statuses[status] for status in REFUSALS)


class Ends:
    """Hears, in a thread of its own, when orders end."""

    def __init__(self, settings: Settings) -> None:
        self._listener = Listener(settings, (ORDER_CONFIRMED, ORDER_CANCELLED, CHECKOUT_FAILED))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self.confirmed: dict[str, float] = {}
        self.others: set[str] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()

    async def of(self, orders: Sequence[str]) -> None:
        """Wait until all orders have ended. Raises SilentError where none does for a minute."""
        left, last = set(orders), time.monotonic()
        while left:
            ended = left & (self.confirmed.keys() | self.others)
            if ended:
                left -= ended
                last = time.monotonic()
            if time.monotonic() - last > SILENCE_S:
                raise SilentError(f"{len(left)} of {len(orders)} accepted checkouts have not ended")
            await asyncio.sleep(0.1)

    def _listen(self) -> None:
        while not self._over.is_set():
            for topic, key in self._listener.heard(0.2):
                if topic == ORDER_CONFIRMED.name:
                    self.confirmed.setdefault(key.decode(), time.monotonic())
                else:
                    self.others.add(key.decode())


async def at_rate(settings: Settings, carts: Sequence[str], per_second: float, ends: Ends) -> Rush:
    """Ask for a checkout of each cart, so many a second, and wait until every accepted one has ended.

    Raises SilentError where an accepted one does not end.
    """
    return await _ask(settings, carts, ends, per_second=per_second, most=None)


async def in_flight(settings: Settings, carts: Sequence[str], most: int, ends: Ends) -> Rush:
    """Do the same as fast as it goes, with so many orders under way."""
    return await _ask(settings, carts, ends, per_second=None, most=most)


async def _ask(
    settings: Settings, carts: Sequence[str], ends: Ends, *, per_second: float | None, most: int | None
) -> Rush:
    rush = Rush()
    guests = Guests(settings)
    asked: dict[str, float] = {}
    accepted: list[str] = []
    open_ones: set[str] = set()
    waiting = deque(carts)

    async def buy(session: aiohttp.ClientSession, cart: str) -> None:
        key = str(uuid4())
        order = order_id_of(guests.caller(cart), key)
        began = asked[order] = time.monotonic()
        open_ones.add(order)
        headers = {"X-Cart-Id": cart, "Idempotency-Key": key}
        url = f"{settings.api_url}/api/v1/checkout"
        status, hint = await _answer(session, url, headers)
        while most is not None and status in REFUSALS and hint is not None:
            # Who sells as fast as it goes comes again when told to.
            await asyncio.sleep(hint)
            status, hint = await _answer(session, url, headers)
        took = (time.monotonic() - began) * 1000
        rush.statuses[status] += 1
        if status == 202:
            accepted.append(order)
            rush.accepted_ms.append(took)
        else:
            open_ones.discard(order)
            rush.refused_ms.append(took)
            rush.unhinted += status in REFUSALS and hint is None

    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as session,
        asyncio.TaskGroup() as tasks,
    ):
        began = time.monotonic()
        while waiting:
            sent = len(carts) - len(waiting)
            if per_second is not None:
                room = int((time.monotonic() - began) * per_second) + 1 - sent
            else:
                open_ones -= {one for one in open_ones if one in ends.confirmed or one in ends.others}
                room = (most or 0) - len(open_ones)
            for _ in range(min(room, len(waiting))):
                tasks.create_task(buy(session, waiting.popleft()))
            await asyncio.sleep(0.005)
        rush.offered_s = time.monotonic() - began
    rush.seconds = time.monotonic() - began
    await ends.of(accepted)
    rush.ended_ms = [
        (ends.confirmed[order] - asked[order]) * 1000 for order in accepted if order in ends.confirmed
    ]
    if most is not None:
        rush.seconds = max(ends.confirmed[order] for order in accepted) - began
    return rush


async def _answer(
    session: aiohttp.ClientSession, url: str, headers: Mapping[str, str]
) -> tuple[int | str, float | None]:
    """Return the answer's status (or what came instead), and when to come again (s), if it says."""
    while True:
        try:
            async with session.post(url, json=_BODY, headers=headers) as response:
                await response.read()
                hint = response.headers.get("Retry-After")
                return response.status, None if hint is None else float(hint)
        except aiohttp.ClientConnectorError as error:
            return type(error).__name__, None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            # The server has closed an idle connection; with its key the request can be repeated.
            continue
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__, None
