"""Two ways into the shop: over HTTP, and straight into the topics as another service would."""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol
from uuid import uuid4

import aiohttp
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.cart import CartAdd, CartLine
from schemas.checkout import Address, CheckoutRequested, Consent
from schemas.envelope import fresh_id
from schemas.inventory import InventoryReceive
from schemas.order import OrderCancel
from tests.chaos.journal import Journal
from tests.guests import Guests
from topics.command import command
from topics.connection import librdkafka_options
from topics.registry import CART_ADD, CHECKOUT_REQUESTED, INVENTORY_RECEIVE, ORDER_CANCEL
from topics.settings import Settings
from topics.topic import Topic
from topics.wire import encode

API = "/api/v1"
PATIENCE_S = 4.0
AGAIN_S = 0.25
LONGEST_AGAIN_S = 1.0
NO_ANSWER = 0
PRICE = 999
"""What a piece of everything costs, in minor units."""

_OK = 200
ADDRESS = {
    "name": "Grace Hopper",
    "country": "GB",
    "line1": "1 Navy Yard",
    "city": "London",
    "postcode": "SW1Y 4JH",
}
EMAIL = "grace@example.com"


class ClosedError(Exception):
    """The load has ended, and what was asked was never acknowledged."""


class Door(Protocol):
    """A way in. Each call returns once the command is acknowledged, or raises ClosedError."""

    closes_at: float

    async def add(self, cart: str, sku: str, pieces: int) -> None:
        """Put pieces into a cart."""

    async def buy(self, cart: str, token: str, lines: int, pieces: int) -> str:
        """Buy a cart of so many lines and pieces, and return the order's id."""

    async def cancel(self, cart: str, order: str) -> None:
        """Cancel an order."""


class ApiDoor:
    """HTTP, as a careful client uses it: a command has its `Idempotency-Key`, and is asked until answered.

    Its carts are known by the guests' secrets.
    """

    def __init__(self, settings: Settings, session: aiohttp.ClientSession, journal: Journal) -> None:
        self._url = settings.api_url + API
        self.guests = Guests(settings)
        self._session = session
        self._journal = journal
        self.closes_at = float("inf")

    async def add(self, cart: str, sku: str, pieces: int) -> None:
        """Put pieces into a cart."""
        body = {"sku": sku, "quantity": pieces}
        _, answer = await self._insist("/cart/items", cart, body, frozenset({200, 202}))
        if "command_id" in answer:
            self._journal.accept(answer["command_id"], "cart.add", self.guests.cart(cart))
        self._journal.fill(self.guests.cart(cart), sku, pieces)

    async def shows(self, sku: str) -> bool:
        """Tell whether the shop shows a product: the API sells no other."""
        status, _ = await self.once("GET", f"/products/{sku}", str(uuid4()))
        return status == _OK

    async def buy(self, cart: str, token: str, lines: int, pieces: int) -> str:
        """Buy a cart. A refusal that names its order is an outcome, and so an acceptance."""
        body = purchase(token, lines, pieces)
        status, answer = await self._insist("/checkout", cart, body, frozenset({201, 202, 402, 409}))
        order = str(answer.get("order_id") or answer.get("resource_url", "").rpartition("/")[2])
        if not order:
            self._journal.unexpected.append(f"checkout answered {status}: {answer}")
            raise ClosedError
        if "command_id" in answer:
            self._journal.accept(answer["command_id"], "checkout", order)
        self._journal.buy(self.guests.cart(cart), order)
        return order

    async def cancel(self, cart: str, order: str) -> None:
        """Cancel an order; one that ended meanwhile cannot be."""
        _, answer = await self._insist(
            f"/orders/{order}/cancel", cart, {"reason": "chaos"}, frozenset({200, 202, 409})
        )
        if "status_url" in answer:
            self._journal.accept(answer["command_id"], "order.cancel", order)

    async def once(
        self,
        method: str,
        path: str,
        cart: str,
        body: object = None,
        *,
        wait_s: int = 0,
        key: str | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Ask once; status 0 where no answer came."""
        headers = {"X-Cart-Id": cart}
        if key is not None:
            headers["Idempotency-Key"] = key
        if wait_s:
            headers["Prefer"] = f"wait={wait_s}"
        try:
            async with self._session.request(
                method, self._url + path, json=body, headers=headers
            ) as response:
                answer = json.loads(await response.read() or b"{}")
                if "Retry-After" in response.headers:
                    answer["retry_after"] = float(response.headers["Retry-After"])
                return response.status, answer
        except (aiohttp.ClientError, TimeoutError, ConnectionError, json.JSONDecodeError):
            return NO_ANSWER, {}

    async def _insist(
        self, path: str, cart: str, body: object, final: frozenset[int]
    ) -> tuple[int, dict[str, Any]]:
        key = str(uuid4())
        while True:
            status, answer = await self.once("POST", path, cart, body, key=key)
            self._journal.answers[str(status or "no answer")] += 1
            in_flight = answer.get("type", "").endswith(":in-flight")
            if status in final and not in_flight:
                return status, answer
            if status not in (NO_ANSWER, 404, 409, 429, 503):
                # It is kept under the key: asked again, it would be the same.
                self._journal.unexpected.append(f"POST {path} answered {status}: {answer.get('detail')}")
                raise ClosedError
            if time.monotonic() > self.closes_at:
                raise ClosedError
            await asyncio.sleep(min(answer.get("retry_after", AGAIN_S), LONGEST_AGAIN_S))


class TopicDoor:
    """Commands by librdkafka: acknowledged by the broker, and sent again under the same id where not."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._currency = settings.currency
        self._journal = journal
        self.closes_at = float("inf")
        self._producer = Producer(
            {
                **librdkafka_options(settings),
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "delivery.timeout.ms": 20_000,
                "linger.ms": 0,
                "log_level": 0,
            }
        )
        self._polling = asyncio.create_task(self._poll())

    async def close(self) -> None:
        """Stop hearing of deliveries."""
        self._polling.cancel()
        with suppress(asyncio.CancelledError):
            await self._polling
        await asyncio.to_thread(self._producer.flush, 5)

    async def add(self, cart: str, sku: str, pieces: int) -> None:
        """Put pieces into a cart."""
        command_id = await self._insist(CART_ADD, cart, CartAdd((CartLine(sku, sku, pieces),)))
        self._journal.accept(command_id, "cart.add", cart)
        self._journal.fill(cart, sku, pieces)

    async def buy(self, cart: str, token: str, lines: int, pieces: int) -> str:
        """Buy a cart."""
        order = fresh_id()
        asked = CheckoutRequested(
            order_id=order,
            currency=self._currency,
            payment_token=token,
            email=EMAIL,
            address=Address("Grace Hopper", "GB", "1 Navy Yard", None, "London", "E1 6AN"),
            expected_lines=lines,
            consent=Consent(0, pieces * PRICE),
        )
        self._journal.accept(await self._insist(CHECKOUT_REQUESTED, cart, asked), "checkout", order)
        self._journal.buy(cart, order)
        return order

    async def cancel(self, cart: str, order: str) -> None:
        """Cancel an order."""
        del cart
        command_id = await self._insist(ORDER_CANCEL, order, OrderCancel("chaos"))
        self._journal.accept(command_id, "order.cancel", order)

    async def receive(self, sku: str, pieces: int) -> None:
        """Take goods in."""
        self._journal.unsure[sku] += pieces
        asked = InventoryReceive(f"chaos-{fresh_id()}", pieces, "chaos")
        command_id = await self._insist(INVENTORY_RECEIVE, sku, asked)
        self._journal.accept(command_id, "inventory.receive", sku)
        self._journal.unsure[sku] -= pieces
        self._journal.received[sku] += pieces

    async def send(self, topic: Topic[Any], key: str, data: Any) -> str:
        """Send a command that the journal need not know, and return its id."""
        return await self._insist(topic, key, data)

    async def _insist(self, topic: Topic[Any], key: str, data: Any) -> str:
        message = command(topic, key, data, source="chaos")
        value = encode(topic, message)
        while True:
            if await self._delivered(topic.name, key.encode(), value):
                self._journal.answers["acknowledged"] += 1
                return message.event_id
            self._journal.answers["not acknowledged"] += 1
            if time.monotonic() > self.closes_at:
                raise ClosedError
            await asyncio.sleep(AGAIN_S)

    async def _delivered(self, topic: str, key: bytes, value: bytes) -> bool:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def heard(error: KafkaError | None, _: Message) -> None:
            if not answer.done():
                answer.set_result(error is None)

        try:
            self._producer.produce(topic, value, key, on_delivery=heard)
        except (BufferError, KafkaException):
            return False
        return await answer

    async def _poll(self) -> None:
        while True:
            self._producer.poll(0)
            await asyncio.sleep(0.01)


def purchase(token: str, lines: int, pieces: int) -> Mapping[str, object]:
    """Return the body of a checkout by somebody who has put in all lines and awaited no answer."""
    return {
        "cart_version": 0,
        "total": pieces * PRICE,
        "payment_token": token,
        "address": ADDRESS,
        "email": EMAIL,
        "expected_lines": lines,
    }
