import asyncio
import json
import uuid
from typing import Any

import httpx
import pytest

from api.auth.caller import cart_of_user
from tests.eventually import eventually_async
from tests.integration.api.dataflow import Dataflow
from tests.integration.api.provider import REFUSED_CARD
from tests.stack import Stack

WAIT = {"Prefer": "wait=10"}
ADDRESS = {
    "name": "Ada Lovelace",
    "country": "GB",
    "line1": "12 St James's Square",
    "city": "London",
    "postcode": "SW1Y 4JH",
}


def checkout_body(card: str = "4242424242424242", **given: Any) -> dict[str, Any]:
    return {
        "payment": {"card_number": card, "expiry": "12/30", "cvc": "123"},
        "address": ADDRESS,
        "email": "ada@example.com",
        "cart_version": 0,
        "total": 0,
        **given,
    }


async def shown(api: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, Any]:
    """Return what a checkout carries of the cart as it stands."""
    cart = (await api.get("/api/v1/cart", headers=headers)).json()
    return {"cart_version": cart["version"], "total": cart["total"]}


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


async def fill(
    api: httpx.AsyncClient, headers: dict[str, str], sku: str, quantity: int = 2
) -> dict[str, str]:
    answer = await api.post(
        "/api/v1/cart/items", json={"sku": sku, "quantity": quantity}, headers={**headers, **WAIT}
    )
    assert answer.status_code == 200, answer.text
    api.cookies.clear()
    return headers or {"X-Cart-Id": answer.headers["X-Cart-Id"]}


async def buy(api: httpx.AsyncClient, headers: dict[str, str], **given: Any) -> httpx.Response:
    body = checkout_body(**{**await shown(api, headers), **given})
    return await api.post("/api/v1/checkout", json=body, headers={**key(), **headers, **WAIT})


async def test_a_checkout_answers_with_the_confirmed_order(
    api: httpx.AsyncClient, customer: dict[str, str], product: str
) -> None:
    await fill(api, customer, product)
    answer = await buy(api, customer)
    assert answer.status_code == 201, answer.text
    order = answer.json()
    assert answer.headers["Location"] == f"/api/v1/orders/{order['order_id']}"
    assert (order["status"], order["total"]) == ("confirmed", 590)
    assert order["lines"][0]["unit_price"] == 295

    at_once = await api.get(answer.headers["Location"], headers=customer)
    assert at_once.status_code == 200, "an order that was just answered can be read, wherever the views are"

    async def captured() -> dict[str, Any]:
        found: dict[str, Any] = (await api.get(answer.headers["Location"], headers=customer)).json()
        return found

    shown = await eventually_async(captured, lambda found: found["payment_status"] == "captured")
    assert shown["address"]["name"] == "Ada Lovelace"
    listed = (await api.get("/api/v1/orders", headers=customer)).json()
    assert [each["order_id"] for each in listed["items"]] == [order["order_id"]]


async def test_a_repeated_checkout_buys_once_with_and_without_redis(
    api: httpx.AsyncClient, customer: dict[str, str], product: str, redis_url: str, stack: Stack
) -> None:
    await fill(api, customer, product)
    headers = {**customer, **WAIT, **key()}
    body = checkout_body(**await shown(api, customer))
    first = await api.post("/api/v1/checkout", json=body, headers=headers)
    second = await api.post("/api/v1/checkout", json=body, headers=headers)
    assert second.json() == first.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    await forget(stack.redis_admin(redis_url))
    third = await api.post("/api/v1/checkout", json=body, headers=headers)
    assert third.status_code == 201, third.text
    assert third.json()["order_id"] == first.json()["order_id"]
    assert "Idempotency-Replayed" not in third.headers


async def forget(redis_url: str) -> None:
    from redis.asyncio import Redis  # noqa: PLC0415

    async with Redis.from_url(redis_url) as redis:
        await redis.flushdb()


async def test_a_declined_card_is_402_and_the_cart_stays(
    api: httpx.AsyncClient, customer: dict[str, str], product: str
) -> None:
    await fill(api, customer, product)
    answer = await buy(api, customer, card="4000000000000002")
    assert answer.status_code == 402, answer.text
    problem = answer.json()
    assert problem["reason"] == "payment_failed"
    assert problem["detail"] == "card_declined"

    async def cart() -> dict[str, Any]:
        found: dict[str, Any] = (await api.get("/api/v1/cart", headers=customer)).json()
        return found

    back = await eventually_async(cart, lambda found: found["status"] == "open" and found["pieces"] == 2)
    assert back["order_id"] is None

    async def level() -> int:
        return int((await api.get(f"/api/v1/products/{product}")).json()["available"])

    await eventually_async(level, lambda available: available == 10)


async def test_a_card_that_the_provider_refuses_never_enters_a_topic(
    api: httpx.AsyncClient, customer: dict[str, str], product: str, dataflow: Dataflow
) -> None:
    await fill(api, customer, product)
    answer = await buy(api, customer, card=REFUSED_CARD)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == "payment"
    assert not any("checkout" in topic for topic, _ in dataflow.seen)


async def test_too_many_pieces_are_409_with_the_sku(
    api: httpx.AsyncClient, customer: dict[str, str], product: str
) -> None:
    await fill(api, customer, product, 11)
    answer = await buy(api, customer)
    assert answer.status_code == 409, answer.text
    assert answer.json()["reason"] == "out_of_stock"
    assert answer.json()["sku"] == product


@pytest.mark.usefixtures("product")
async def test_an_empty_cart_cannot_be_bought(api: httpx.AsyncClient, customer: dict[str, str]) -> None:
    answer = await buy(api, customer)
    assert answer.status_code == 409, answer.text
    assert answer.json()["reason"] == "empty_cart"


@pytest.mark.usefixtures("product")
async def test_a_checkout_needs_a_key_and_one_payment(
    api: httpx.AsyncClient, customer: dict[str, str]
) -> None:
    without = await api.post("/api/v1/checkout", json=checkout_body(), headers=customer)
    assert without.status_code == 422
    assert without.json()["errors"][0]["field"] == "Idempotency-Key"
    both = await api.post(
        "/api/v1/checkout", json=checkout_body(payment_token="tok_1"), headers={**customer, **key()}
    )
    assert both.status_code == 422
    assert "4242" not in both.text, "given values are never echoed"
    for field in ("placed_at", "charges", "order_id"):
        trusted = await api.post(
            "/api/v1/checkout", json={**checkout_body(), field: 1}, headers={**customer, **key()}
        )
        assert trusted.status_code == 422
        assert trusted.json()["errors"][0] | {"message": ""} == {
            "field": field,
            "rule": "extra_forbidden",
            "message": "",
        }


async def test_what_was_not_shown_is_not_charged(
    api: httpx.AsyncClient, customer: dict[str, str], staff: dict[str, str], product: str
) -> None:
    await fill(api, customer, product)
    seen = await shown(api, customer)
    assert seen["total"] == 590
    lines = [{"line_id": product, "quantity": 2, "unit_price": 295}]
    await api.patch(f"/api/v1/products/{product}", json={"price": 19990}, headers={**staff, **WAIT})
    dearer = await buy(api, customer, **seen, lines=lines)
    assert dearer.status_code == 409, dearer.text
    problem = dearer.json()
    assert (problem["reason"], problem["old_total"], problem["new_total"]) == ("price_changed", 590, 39980)
    (changed,) = problem["lines"]
    assert (changed["sku"], changed["old_price"], changed["new_price"]) == (product, 295, 19990)

    async def status() -> str:
        return str((await api.get("/api/v1/cart", headers=customer)).json()["status"])

    await eventually_async(status, lambda found: found == "open")
    await fill(api, customer, product, 1)
    other = await buy(api, customer, **{**seen, "total": 39980}, lines=lines)
    assert other.status_code == 409, other.text
    problem = other.json()
    assert (problem["reason"], problem["old_total"]) == ("cart_changed", 39980)
    assert (problem["lines"][0]["old_quantity"], problem["lines"][0]["new_quantity"]) == (2, 3)
    assert problem["old_cart_version"] == seen["cart_version"] < problem["new_cart_version"]

    async def listed() -> set[str]:
        orders = (await api.get("/api/v1/orders", headers=customer)).json()
        return {each["status"] for each in orders["items"]}

    # The view follows the answer.
    await eventually_async(listed, lambda statuses: statuses <= {"cancelled"})
    agreed = await buy(api, customer, cart_version=problem["new_cart_version"], total=59970)
    assert (agreed.status_code, agreed.json()["total"]) == (201, 59970), agreed.text


async def test_a_checkout_says_what_was_shown(api: httpx.AsyncClient, customer: dict[str, str]) -> None:
    for field in ("cart_version", "total"):
        body = checkout_body()
        del body[field]
        answer = await api.post("/api/v1/checkout", json=body, headers={**customer, **key()})
        assert answer.status_code == 422
        assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_a_foreign_order_does_not_exist(
    api: httpx.AsyncClient, customer: dict[str, str], staff: dict[str, str], product: str
) -> None:
    guest = await fill(api, {}, product)
    order = (await buy(api, guest)).json()
    url = f"/api/v1/orders/{order['order_id']}"
    assert (await api.get(url, headers=guest)).status_code == 200
    assert (await api.get(url, headers=staff)).status_code == 200
    for foreign in (customer, {"X-Cart-Id": str(uuid.uuid4())}):
        assert (await api.get(url, headers=foreign)).status_code == 404
        assert (await api.post(f"{url}/cancel", headers=foreign)).status_code == 404
        assert (await api.get(f"{url}/events", headers=foreign)).status_code == 404
    assert (await api.get(url)).status_code == 401


async def test_a_guests_order_goes_with_the_account(api: httpx.AsyncClient, product: str) -> None:
    guest = await fill(api, {}, product)
    order = (await buy(api, guest)).json()["order_id"]
    who = {"email": f"{uuid.uuid4().hex}@example.com", "password": "correct horse battery"}
    await api.post("/api/v1/register", json=who)
    login = await api.post("/api/v1/login", json={**who, "cart_id": guest["X-Cart-Id"]})
    mine = {"Authorization": f"Bearer {login.json()['access_token']}"}
    url = f"/api/v1/orders/{order}"
    assert (await api.get(url, headers=mine)).status_code == 200

    async def listed() -> list[str]:
        found = (await api.get("/api/v1/orders", headers=mine)).json()["items"]
        return [each["order_id"] for each in found]

    await eventually_async(listed, lambda found: found == [order])
    cancelled = await api.post(f"{url}/cancel", headers={**mine, **WAIT})
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled"), cancelled.text


async def test_a_users_cart_cannot_be_taken_by_its_id(
    api: httpx.AsyncClient, customer: dict[str, str], product: str
) -> None:
    await fill(api, customer, product)
    cart = (await api.get("/api/v1/cart", headers=customer)).json()["cart_id"]
    assert cart != cart_of_user("somebody else")
    answer = await api.get("/api/v1/cart", headers={"X-Cart-Id": cart})
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["rule"] == "random_uuid"


async def test_a_customer_cancels_and_staff_move_on(
    api: httpx.AsyncClient, customer: dict[str, str], staff: dict[str, str], product: str
) -> None:
    await fill(api, customer, product, 1)
    first = (await buy(api, customer)).json()["order_id"]
    cancelled = await api.post(f"/api/v1/orders/{first}/cancel", headers={**customer, **WAIT})
    assert cancelled.status_code == 200, cancelled.text
    assert cancelled.json()["status"] == "cancelled"

    await fill(api, customer, product, 1)
    second = (await buy(api, customer)).json()["order_id"]
    url = f"/api/v1/orders/{second}/status"
    assert (await api.post(url, json={"status": "shipped"}, headers=customer)).status_code == 403
    early = await api.post(url, json={"status": "delivered"}, headers={**staff, **WAIT})
    assert early.status_code == 409, early.text
    assert early.json()["reason"] == "illegal_move"
    for status in ("processing", "shipped", "delivered"):
        moved = await api.post(url, json={"status": status}, headers={**staff, **WAIT})
        assert (moved.status_code, moved.json()["status"]) == (200, status), moved.text
    late = await api.post(f"/api/v1/orders/{second}/cancel", headers={**customer, **WAIT})
    assert late.status_code == 409


async def test_events_tell_history_then_what_happens_until_the_end(
    api: httpx.AsyncClient, customer: dict[str, str], staff: dict[str, str], product: str
) -> None:
    await fill(api, customer, product, 1)
    order = (await buy(api, customer)).json()["order_id"]
    seen: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    reading = asyncio.create_task(read_events(api, order, customer, seen))
    assert (await seen.get())["event"] == "order.placed"
    confirmed = await seen.get()
    assert confirmed["event"] == "order.confirmed"
    await api.post(f"/api/v1/orders/{order}/cancel", headers=staff)
    assert (await seen.get())["event"] == "order.cancelled"
    await asyncio.wait_for(reading, 10)

    resumed: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    last = {"Last-Event-ID": str(confirmed["version"])}
    await asyncio.wait_for(read_events(api, order, {**customer, **last}, resumed), 10)
    assert [resumed.get_nowait()["event"] for _ in range(resumed.qsize())] == ["order.cancelled"]


async def read_events(
    api: httpx.AsyncClient, order: str, headers: dict[str, str], seen: asyncio.Queue[dict[str, Any]]
) -> None:
    async with api.stream("GET", f"/api/v1/orders/{order}/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                await seen.put(json.loads(line.removeprefix("data: ")))


async def test_events_of_a_checkout_that_is_not_placed_yet(
    api: httpx.AsyncClient, customer: dict[str, str], product: str, dataflow: Dataflow
) -> None:
    await fill(api, customer, product, 1)
    dataflow.pause()
    body = checkout_body(**await shown(api, customer))
    answer = await api.post("/api/v1/checkout", json=body, headers={**customer, **key()})
    assert answer.status_code == 202, answer.text
    url = answer.json()["resource_url"]
    assert (await api.get(url, headers=customer)).json()["status"] == "requested"
    seen: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    reading = asyncio.create_task(read_events(api, url.rsplit("/", 1)[1], customer, seen))
    dataflow.resume()
    assert (await asyncio.wait_for(seen.get(), 10))["status"] == "placed"
    assert (await asyncio.wait_for(seen.get(), 10))["status"] == "confirmed"
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def test_two_shoppers_race_for_the_last_pieces(
    api: httpx.AsyncClient, product: str, staff: dict[str, str]
) -> None:
    shoppers = [await fill(api, {}, product, 6) for _ in range(2)]
    answers = await asyncio.gather(*(buy(api, shopper) for shopper in shoppers))
    assert sorted(answer.status_code for answer in answers) == [201, 409]

    async def level() -> dict[str, Any]:
        found: dict[str, Any] = (await api.get(f"/api/v1/inventory/{product}", headers=staff)).json()
        return found

    after = await eventually_async(level, lambda found: found["committed"] == 6)
    assert (after["reserved"], after["available"]) == (0, 4)
