"""The short way answers what the framework does: each request goes both, and nothing tells them apart."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client import REGISTRY

from api import app as application
from api.settings import ApiSettings
from api.surfaces import SURFACES
from schemas.cart import CartStatus, CartUpdated
from schemas.envelope import Message
from schemas.order import OrderStatus
from tests.unit.api.buying import BODY, snapshot
from tests.unit.api.conftest import World
from tests.unit.api.fakes import Reply
from topics.registry import CART_ADD, CART_UPDATED, ORDER_CONFIRMED

ADD, CHECKOUT = "/api/v1/cart/items", "/api/v1/checkout"
ITEM: dict[str, Any] = {"sku": "A", "quantity": 2}
WAIT = {"Prefer": "wait=2"}
JSON = {"Content-Type": "application/json"}
CART, KEY = "X-Cart-Id", "Idempotency-Key"
OWN = "own"
"""Stands for a value that is each way's own: a guest's secret, a key."""


@dataclass
class Ways:
    """The same shop with the short way and without."""

    short: httpx.AsyncClient
    long: httpx.AsyncClient


@pytest.fixture
async def ways(world: World, limits: ApiSettings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ways]:
    def reply(message: Message[Any]) -> list[Reply]:
        if message.event_type == CART_ADD.name:
            cart = CartUpdated(CartStatus.OPEN, message.data.lines, None, None, 1)
            return [(CART_UPDATED, message.aggregate_id, cart, 5)]
        return [(ORDER_CONFIRMED, message.data.order_id, snapshot(OrderStatus.CONFIRMED), 4)]

    world.broker.reply = reply
    short = application.create_app(world.services.settings, limits, world.services)
    slow = [replace(each, short_commands=(), short_readings=()) for each in SURFACES]
    monkeypatch.setattr("api.app.SURFACES", slow)
    long = application.create_app(world.services.settings, limits, world.services)
    transports = [httpx.ASGITransport(app=app, raise_app_exceptions=False) for app in (short, long)]
    async with (
        httpx.AsyncClient(transport=transports[0], base_url="http://shop") as by_short,
        httpx.AsyncClient(transport=transports[1], base_url="http://shop") as by_long,
    ):
        yield Ways(by_short, by_long)
    await world.services.commands.close()


async def told(client: httpx.AsyncClient, method: str, path: str, times: int, **given: Any) -> list[Any]:
    """Send a request so many times, and return the answers without what is each one's own."""
    given = dict(given)
    own = {name: str(uuid4()) if value is OWN else value for name, value in given.pop("headers", {}).items()}
    return [
        _told(await client.request(method, path, headers=own, **given), own.get(CART, "?"))
        for _ in range(times)
    ]


def _told(answer: httpx.Response, secret: str) -> tuple[Any, ...]:
    ids = {"cart_id", "order_id", "command_id", "key", "correlation_id", "status_url", "resource_url"}
    headers = {name: value.replace(secret, OWN) for name, value in answer.headers.items()}
    for name in ("x-correlation-id", "location", "set-cookie", "x-cart-id"):
        if name in headers:
            headers[name] = "there"
    document = answer.json() if answer.content else None
    if isinstance(document, dict):
        document = {name: OWN if name in ids else value for name, value in document.items()}
    return answer.status_code, headers, document


GUEST = {CART: OWN, **WAIT}
COMMANDS: dict[str, tuple[str, dict[str, Any]]] = {
    "an item": (ADD, {"json": ITEM, "headers": GUEST}),
    "an item of nobody yet": (ADD, {"json": ITEM, "headers": WAIT}),
    "an item that is not waited for": (ADD, {"json": ITEM, "headers": {CART: OWN}}),
    "an item under a key": (ADD, {"json": ITEM, "headers": {**GUEST, KEY: OWN}}),
    "an item of nobody under a key": (ADD, {"json": ITEM, "headers": {**WAIT, KEY: OWN}}),
    "an item under no good key": (ADD, {"json": ITEM, "headers": {**GUEST, KEY: "two words"}}),
    "an item under an empty key": (ADD, {"json": ITEM, "headers": {**GUEST, KEY: ""}}),
    "an item under a long key": (ADD, {"json": ITEM, "headers": {**GUEST, KEY: "k" * 256}}),
    "one piece": (ADD, {"json": {"sku": "A"}, "headers": GUEST}),
    "an unknown item": (ADD, {"json": {"sku": "NONE"}, "headers": {**GUEST, KEY: OWN}}),
    "no sku": (ADD, {"json": {"quantity": 2}, "headers": GUEST}),
    "no sku under a key": (ADD, {"json": {"quantity": 2}, "headers": {**GUEST, KEY: OWN}}),
    "one field too many": (ADD, {"json": {**ITEM, "price": 1}, "headers": GUEST}),
    "half a piece": (ADD, {"json": {**ITEM, "quantity": 0.5}, "headers": GUEST}),
    "pieces as a float": (ADD, {"content": b'{"sku":"A","quantity":2.0}', "headers": {**GUEST, **JSON}}),
    "pieces as text": (ADD, {"json": {**ITEM, "quantity": "2"}, "headers": GUEST}),
    "no number": (ADD, {"content": b'{"sku":"A","quantity":NaN}', "headers": {**GUEST, **JSON}}),
    "a list": (ADD, {"json": [ITEM], "headers": GUEST}),
    "null": (ADD, {"content": b"null", "headers": {**GUEST, **JSON}}),
    "broken JSON": (ADD, {"content": b'{"sku":', "headers": {**GUEST, **JSON}}),
    "no UTF-8": (ADD, {"content": b'{"sku":"\xff"}', "headers": {**GUEST, **JSON}}),
    "half a character": (ADD, {"content": b'{"sku":"\\ud800"}', "headers": {**GUEST, **JSON}}),
    "a NUL": (ADD, {"content": b'{"sku":"A\x00"}', "headers": {**GUEST, **JSON}}),
    "a field twice": (ADD, {"content": b'{"sku":"B","sku":"A"}', "headers": {**GUEST, **JSON}}),
    "too deep": (ADD, {"content": b"[" * 5_000, "headers": {**GUEST, **JSON}}),
    "too large": (ADD, {"content": b" " * 70_000, "headers": {**GUEST, **JSON, KEY: OWN}}),
    "nothing": (ADD, {"content": b"", "headers": {**GUEST, **JSON}}),
    "JSON in a charset": (
        ADD,
        {"json": ITEM, "headers": {**GUEST, "Content-Type": "application/json; charset=utf-8"}},
    ),
    "another JSON": (ADD, {"json": ITEM, "headers": {**GUEST, "Content-Type": "application/x+json"}}),
    "no JSON": (ADD, {"json": ITEM, "headers": {**GUEST, "Content-Type": "text/plain"}}),
    "no secret of a cart": (ADD, {"json": ITEM, "headers": {CART: "me", KEY: OWN}}),
    "no secret and no JSON": (ADD, {"content": b"{", "headers": {CART: "me", **JSON}}),
    "no token": (ADD, {"json": ITEM, "headers": {"Authorization": "Bearer no"}}),
    "another origin": (ADD, {"json": ITEM, "headers": {**GUEST, "Origin": "http://elsewhere"}}),
    "an odd preference": (ADD, {"json": ITEM, "headers": {CART: OWN, "Prefer": "wait=abc"}}),
    "a slash too many": (ADD + "/", {"json": ITEM, "headers": GUEST}),
    "a query": (ADD + "?a=b", {"json": ITEM, "headers": {**GUEST, KEY: OWN}}),
    "a checkout": (CHECKOUT, {"json": BODY, "headers": {**GUEST, KEY: OWN}}),
    "a checkout that is not waited for": (CHECKOUT, {"json": BODY, "headers": {CART: OWN, KEY: OWN}}),
    "a checkout without a key": (CHECKOUT, {"json": BODY, "headers": GUEST}),
    "a checkout under no good key": (CHECKOUT, {"json": BODY, "headers": {**GUEST, KEY: "two words"}}),
    "a checkout of nobody": (CHECKOUT, {"json": BODY, "headers": {**WAIT, KEY: OWN}}),
    "a checkout without a total": (
        CHECKOUT,
        {
            "json": {name: value for name, value in BODY.items() if name != "total"},
            "headers": {**GUEST, KEY: OWN},
        },
    ),
    "a checkout with no card": (
        CHECKOUT,
        {"json": {**BODY, "payment": {"card_number": "1"}}, "headers": {**GUEST, KEY: OWN}},
    ),
    "a checkout by two payments": (
        CHECKOUT,
        {"json": {**BODY, "payment_token": "tok_visa"}, "headers": {**GUEST, KEY: OWN}},
    ),
}


def counted() -> dict[tuple[str, ...], float]:
    """Return how many requests were counted, by method, route and status."""
    return {
        tuple(sample.labels.values()): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "api_requests_total"
    }


async def test_commands_are_answered_alike_both_ways_and_alike_again(ways: Ways) -> None:
    for what, (path, given) in COMMANDS.items():
        before = counted()
        by_short = await told(ways.short, "POST", path, 2, **given)
        between = counted()
        by_long = await told(ways.long, "POST", path, 2, **given)
        after = counted()
        assert by_short == by_long, what
        more = {key: between[key] - before.get(key, 0.0) for key in between}
        assert more == {key: after[key] - between.get(key, 0.0) for key in after}, (
            f"{what}: counted alike, too"
        )


async def test_a_key_that_was_used_for_another_request_is_refused_both_ways(ways: Ways) -> None:
    for client in (ways.short, ways.long):
        headers = {CART: str(uuid4()), **WAIT, KEY: "k"}
        first = await client.post(ADD, json=ITEM, headers=headers)
        again = await client.post(ADD, json=ITEM, headers=headers)
        other = await client.post(ADD, json={"sku": "B"}, headers=headers)
        broken = await client.post(ADD, json={}, headers=headers)
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.content == first.content
        assert other.json()["errors"][0]["rule"] == broken.json()["errors"][0]["rule"] == "reused"


async def test_one_way_knows_what_the_other_has_answered(ways: Ways, world: World) -> None:
    headers = {CART: str(uuid4()), **WAIT, KEY: "k"}
    first = await ways.long.post(CHECKOUT, json=BODY, headers=headers)
    again = await ways.short.post(CHECKOUT, json=BODY, headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert len(world.broker.sent) == 1


PRODUCTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("A", {}),
    ("NONE", {}),
    ("A%2FB", {}),
    ("A?a=b", {}),
    ("A/", {}),
    ("", {}),
    ("A", {"If-None-Match": "*"}),
    ("A", {"If-None-Match": 'W/"1", "2"'}),
    ("A", {"Origin": "http://elsewhere"}),
)


async def test_products_are_shown_alike_both_ways(ways: Ways) -> None:
    for method in ("GET", "HEAD"):
        for path, headers in PRODUCTS:
            at = f"/api/v1/products/{path}"
            by_short = await told(ways.short, method, at, 2, headers=headers)
            assert by_short == await told(ways.long, method, at, 2, headers=headers), (method, path)
