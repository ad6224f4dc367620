"""Shoppers who each buy two goods: two adds and a checkout, every answer waited for."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec

from tests.bench.percentile import percentile
from tests.bench.purchase.keep_alive import Answer, BrokenAnswerError, KeepAlive, request

DONE = frozenset({200, 201})
CARD = {"card_number": "4242 4242 4242 4242", "expiry": "12/30", "cvc": "123"}
ADDRESS = {
    "name": "Grace Hopper",
    "country": "GB",
    "line1": "1 Navy Yard",
    "city": "London",
    "postcode": "E1 6AN",
}
_JSON = ("Content-Type", "application/json")
_WAIT = ("Prefer", "wait=20")


class Cart(msgspec.Struct):
    """What a shopper reads of a cart: what the checkout has to say was shown."""

    version: int
    total: int


class Order(msgspec.Struct):
    """What a shopper reads of an order."""

    status: str


class RefusedError(Exception):
    """An answer that no shopper should get."""


@dataclass
class Bought:
    """What shoppers met: latencies in ms by request and of whole purchases, and what went wrong."""

    seconds: float = 0.0
    own_cpu: float = 0.0
    latencies: dict[str, list[float]] = field(
        default_factory=lambda: {"purchase": [], "first add": [], "second add": [], "checkout": []}
    )
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """Return how many purchases were made."""
        return len(self.latencies["purchase"])

    def percentile(self, of: str, share: float) -> float:
        """Return the latency (ms) that this share kept to."""
        return percentile(self.latencies[of], share)


class Shoppers:
    """Buys at a shop's URL. `own_cpu` of what comes back is this process's own processor time (s)."""

    def __init__(self, url: str, skus: Sequence[str], seed: int = 7) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._skus = skus
        self._chance = random.Random(seed)

    async def buy(self, count: int, at_once: int) -> Bought:
        """Make `count` purchases, so many at once."""
        bought, left = Bought(), iter(range(count))

        async def shopper() -> None:
            connection = await KeepAlive.connect(self._host, self._port)
            try:
                for _ in left:
                    try:
                        await self._purchase(connection, bought)
                    except (RefusedError, BrokenAnswerError, TimeoutError) as error:
                        bought.errors[str(error)[:200] or type(error).__name__] += 1
                        connection.close()
                        connection = await KeepAlive.connect(self._host, self._port)
            finally:
                connection.close()

        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(shopper() for _ in range(min(at_once, count))))
        bought.seconds, bought.own_cpu = time.perf_counter() - began, time.process_time() - cpu
        return bought

    async def _purchase(self, connection: KeepAlive, bought: Bought) -> None:
        owner = (_JSON, _WAIT, ("X-Cart-Id", str(uuid4())))
        took: dict[str, float] = {}
        began = time.perf_counter()

        async def ask(step: str, path: str, body: object, *headers: tuple[str, str]) -> Answer:
            sent = time.perf_counter()
            content = msgspec.json.encode(body)
            answer = await connection.ask(request("POST", path, self._host, content, (*owner, *headers)))
            took[step] = (time.perf_counter() - sent) * 1000
            if answer.status not in DONE:
                raise RefusedError(f"{step} answered {answer.status}: {answer.body.decode(errors='replace')}")
            return answer

        answer = None
        for step, sku in zip(("first add", "second add"), self._chance.sample(self._skus, 2), strict=True):
            answer = await ask(step, "/api/v1/cart/items", {"sku": sku, "quantity": 1})
        assert answer is not None
        cart = msgspec.json.decode(answer.body, type=Cart)
        wish = {
            "cart_version": cart.version,
            "total": cart.total,
            "payment": CARD,
            "address": ADDRESS,
            "email": "grace@example.com",
        }
        answer = await ask("checkout", "/api/v1/checkout", wish, ("Idempotency-Key", str(uuid4())))
        status = msgspec.json.decode(answer.body, type=Order).status
        if status != "confirmed":
            raise RefusedError(f"the order is {status}")
        took["purchase"] = (time.perf_counter() - began) * 1000
        for step, ms in took.items():
            bought.latencies[step].append(ms)
