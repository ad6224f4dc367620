"""Buying: once, as it was shown, or told why not."""

from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from api.auth.caller import Caller
from api.cart.view import CartState
from api.checkout.service import checkout_id_of
from api.order.snapshots import of_snapshot
from schemas.cart import CartLine, CartStatus, CartUpdated
from schemas.checkout import CheckoutFailed, Consent
from schemas.envelope import Message, derived_id
from schemas.order import (
    OrderLine,
    OrderStatus,
)
from tests.unit.api.buying import ADDRESS, BODY, CARD, WAIT, bought, checkout, ending, guest, snapshot
from tests.unit.api.conftest import World
from tests.unit.api.fakes import Reply
from topics.registry import (
    CHECKOUT_FAILED,
    CHECKOUT_REQUESTED,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_PLACED,
)


async def test_the_order_is_derived_from_owner_and_key_and_the_card_stays_outside(
    client: httpx.AsyncClient, world: World
) -> None:
    ending(
        world,
        (ORDER_PLACED, snapshot(OrderStatus.PLACED)),
        (ORDER_CONFIRMED, snapshot(OrderStatus.CONFIRMED)),
    )
    mine = guest()
    answer = await checkout(client, {**mine, **WAIT})
    assert answer.status_code == 201, answer.text
    order_id = derived_id("order", f"cart:{world.cart_of(mine)}", "k1")
    assert answer.json()["order_id"] == order_id
    assert answer.json()["total"] == 590
    assert "tok_4242" not in answer.text
    topic, key, message = world.broker.sent[0]
    assert (topic, key) == (CHECKOUT_REQUESTED, world.cart_of(mine))
    assert message.event_id == checkout_id_of(order_id)
    assert message.data.payment_token == "tok_4242"
    assert (message.data.charges, message.data.placed_at, message.data.expected_lines) == ((), None, None)
    assert b"4242 4242" not in b"".join(world.redis.values.values())
    assert b"tok_4242" not in b"".join(world.redis.values.values())
    again = await client.get(answer.headers["Location"], headers=mine)
    assert again.json()["status"] == "confirmed", "readable before any view has it"
    assert (await client.get(answer.headers["Location"], headers=guest())).status_code == 404


@pytest.mark.parametrize(
    ("topic", "data", "status", "reason"),
    [
        (
            ORDER_CANCELLED,
            snapshot(OrderStatus.CANCELLED, reason="payment_failed", detail="card_declined"),
            402,
            "payment_failed",
        ),
        (
            ORDER_CANCELLED,
            snapshot(OrderStatus.CANCELLED, reason="out_of_stock", detail="2 of A requested", sku="A"),
            409,
            "out_of_stock",
        ),
        (CHECKOUT_FAILED, CheckoutFailed("cart", "empty_cart", "nothing to buy"), 409, "empty_cart"),
    ],
)
async def test_an_order_that_cannot_be_had_says_why(  # noqa: PLR0917 (a row of the table)
    client: httpx.AsyncClient, world: World, topic: Any, data: msgspec.Struct, status: int, reason: str
) -> None:
    ending(world, (topic, data))
    answer = await checkout(client, {**guest(), **WAIT})
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.json()["order_id"] == world.broker.sent[0][2].data.order_id


async def test_a_price_that_was_not_shown_is_told_with_the_old_one(
    client: httpx.AsyncClient, world: World
) -> None:
    refused = snapshot(
        OrderStatus.CANCELLED,
        reason="price_changed",
        lines=(OrderLine("A", "A", 2, "Product A", 999), OrderLine("B", "B", 1, "Product B", 100)),
        goods=2098,
        total=2098,
        consented=690,
    )
    failed = CheckoutFailed(str(uuid4()), "price_changed", "it is dearer")
    # Heard in any order, the one that knows the new prices answers.
    ending(world, (CHECKOUT_FAILED, failed), (ORDER_CANCELLED, refused))
    shown = [
        {"line_id": "A", "quantity": 2, "unit_price": 295},
        {"line_id": "B", "quantity": 1, "unit_price": 100},
    ]
    answer = await checkout(client, {**guest(), **WAIT}, total=690, lines=shown)
    problem = answer.json()
    assert (answer.status_code, problem["reason"]) == (409, "price_changed")
    assert (problem["old_total"], problem["new_total"], problem["currency"]) == (690, 2098, "GBP")
    assert problem["lines"] == [
        {
            "line_id": "A",
            "sku": "A",
            "name": "Product A",
            "old_quantity": 2,
            "new_quantity": 2,
            "old_price": 295,
            "new_price": 999,
        }
    ]
    assert world.broker.sent[0][2].data.consent == Consent(7, 690)
    unsaid = await checkout(client, {**guest(), **WAIT}, total=690)
    assert [line["new_price"] for line in unsaid.json()["lines"]] == [999, 100]


async def test_a_cart_that_was_not_shown_is_told_as_it_is_now(
    client: httpx.AsyncClient, world: World
) -> None:
    mine = guest()
    lines = (CartLine("A", "A", 1), CartLine("B", "B", 3))
    cart = CartUpdated(CartStatus.OPEN, lines, None, None, 1)
    world.carts.known[world.cart_of(mine)] = CartState(cart, 9)
    ending(world, (CHECKOUT_FAILED, CheckoutFailed(world.cart_of(mine), "cart_changed", "another")))
    shown = [{"line_id": "A", "quantity": 2, "unit_price": 295}, {"line_id": "GONE", "quantity": 1}]
    problem = (await checkout(client, {**mine, **WAIT}, lines=shown)).json()
    assert (problem["reason"], problem["old_total"], problem["new_total"]) == ("cart_changed", 590, 595)
    assert (problem["old_cart_version"], problem["new_cart_version"]) == (7, 9)
    assert [(line["line_id"], line["old_quantity"], line["new_quantity"]) for line in problem["lines"]] == [
        ("A", 2, 1),
        ("GONE", 1, None),
        ("B", None, 3),
    ]


@pytest.mark.parametrize("field", ["cart_version", "total"])
async def test_a_checkout_must_say_what_was_shown(client: httpx.AsyncClient, field: str) -> None:
    body = {name: value for name, value in BODY.items() if name != field}
    answer = await client.post("/api/v1/checkout", json=body, headers={"Idempotency-Key": "k1", **guest()})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_known_order_is_not_bought_again_even_without_redis(
    client: httpx.AsyncClient, world: World
) -> None:
    ending(world, (ORDER_CONFIRMED, snapshot(OrderStatus.CONFIRMED)))
    mine = guest()
    first = await checkout(client, {**mine, **WAIT})
    owner = f"cart:{world.cart_of(mine)}"
    order_id = first.json()["order_id"]
    known = await world.services.orders.read(Caller(guest_cart=world.cart_of(mine)), order_id)
    world.orders.known[order_id] = (owner, known)
    world.redis.values.clear()
    second = await checkout(client, {**mine, **WAIT})
    assert (second.status_code, second.json()["order_id"]) == (201, order_id)
    assert len(world.broker.sent) == 1


async def test_a_repeated_checkout_whose_end_has_passed_is_found_in_the_views(
    client: httpx.AsyncClient, world: World
) -> None:
    mine = guest()
    owner = f"cart:{world.cart_of(mine)}"

    def reply(message: Message[Any]) -> list[Reply]:
        from api.order.snapshots import of_snapshot  # noqa: PLC0415 (only here)

        order_id = message.data.order_id
        order = of_snapshot(order_id, 2, snapshot(OrderStatus.CONFIRMED))
        world.orders.known[order_id] = (owner, order)
        return []

    world.broker.reply = reply
    answer = await checkout(client, {**mine, "Prefer": "wait=10"})
    assert (answer.status_code, answer.json()["status"]) == (201, "confirmed")


async def test_without_wait_the_order_is_requested_until_more_is_known(
    client: httpx.AsyncClient, world: World
) -> None:
    mine = guest()
    answer = await checkout(client, mine)
    assert answer.status_code == 202
    order = await client.get(answer.json()["resource_url"], headers=mine)
    assert (order.json()["status"], order.json()["lines"]) == ("requested", [])
    assert world.tokeniser.seen == ["4242424242424242"]


async def test_nobody_and_nothing_cannot_be_bought(client: httpx.AsyncClient) -> None:
    assert (await checkout(client, {})).status_code == 401


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"payment_token": "tok_1"}, "body"),
        ({"payment": None}, "body"),
        ({"payment": {**CARD, "expiry": "13/30"}}, "payment.expiry"),
        ({"payment": {**CARD, "card_number": "42"}}, "payment.card_number"),
        ({"payment": {**CARD, "cvc": "12a"}}, "payment.cvc"),
        ({"email": "nobody"}, "email"),
        ({"address": {**ADDRESS, "name": " "}}, "address.name"),
        ({"address": {**ADDRESS, "country": "asdf"}}, "address.country"),
        ({"address": {**ADDRESS, "postcode": "1"}}, "address.postcode"),
        ({"address": {**ADDRESS, "city": " "}}, "address.city"),
        ({"address": {**ADDRESS, "line1": None}}, "address.line1"),
        ({"charges": []}, "charges"),
        ({"placed_at": 1}, "placed_at"),
        ({"expected_lines": 0}, "expected_lines"),
    ],
)
async def test_bad_requests_name_the_field_and_echo_nothing(
    client: httpx.AsyncClient, world: World, given: dict[str, Any], field: str
) -> None:
    answer = await checkout(client, guest(), **given)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert "4242" not in answer.text
    assert world.broker.sent == []


async def test_the_record_of_a_checkout_without_an_order_is_a_refusal(
    client: httpx.AsyncClient, world: World
) -> None:
    mine = guest()
    ending(world, (ORDER_CANCELLED, snapshot(OrderStatus.CANCELLED, reason="payment_failed")))
    order_id = (await checkout(client, {**mine, **WAIT})).json()["order_id"]
    record = await client.get(f"/api/v1/commands/{checkout_id_of(order_id)}", headers=mine)
    assert (record.json()["status"], record.json()["event"]) == ("rejected", ORDER_CANCELLED.name)


async def test_a_form_sent_again_after_a_failed_order_is_another_attempt(
    client: httpx.AsyncClient, world: World
) -> None:
    mine, buying = guest(), world.services.checkout
    caller = Caller(guest_cart=world.cart_of(mine))
    assert await buying.attempt(caller, "form-1") == "form-1"
    declined = snapshot(OrderStatus.CANCELLED, reason="payment_failed")
    seen = []
    for _ in range(3):
        key = await buying.attempt(caller, "form-1")
        seen.append(key)
        ending(world, (ORDER_CANCELLED, declined))
        assert (await checkout(client, {**mine, **WAIT}, key)).status_code == 402
    assert len(set(seen)) == 3
    key = await buying.attempt(caller, "form-1")
    ending(world, (ORDER_CONFIRMED, snapshot(OrderStatus.CONFIRMED)))
    assert (await checkout(client, {**mine, **WAIT}, key)).status_code == 201
    assert await buying.attempt(caller, "form-1") == key, "what was bought is not bought again"


async def test_an_end_that_was_heard_counts_before_the_views_have_it(
    client: httpx.AsyncClient, world: World
) -> None:
    mine = guest()
    ending(world, (ORDER_CANCELLED, snapshot(OrderStatus.CANCELLED, reason="payment_failed")))
    order_id = (await checkout(client, {**mine, **WAIT})).json()["order_id"]
    behind = of_snapshot(order_id, 1, snapshot(OrderStatus.PLACED))
    world.orders.known[order_id] = (f"cart:{world.cart_of(mine)}", behind)
    assert await world.services.checkout.attempt(Caller(guest_cart=world.cart_of(mine)), "k1") != "k1"


async def test_a_guests_order_is_the_accounts_that_the_same_browser_logs_in_to(
    client: httpx.AsyncClient, world: World
) -> None:
    mine = guest()
    order = await bought(client, world, mine)
    who = {"email": "ada@example.com", "password": "correct horse battery"}
    assert (await client.post("/api/v1/register", json=who)).status_code == 201
    world.broker.reply = lambda _message: []
    session = (await client.post("/api/v1/login", json={**who, "cart_id": mine["X-Cart-Id"]})).json()
    ada = {"Authorization": f"Bearer {session['access_token']}"}
    url = f"/api/v1/orders/{order}"
    assert (await client.get(url, headers=ada)).status_code == 200, "before any view has it"
    other = world.authorised()
    assert (await client.get(url, headers=other)).status_code == 404
    known = await world.services.orders.read(Caller(guest_cart=world.cart_of(mine)), order)
    world.orders.known[order] = (f"cart:{world.cart_of(mine)}", known)
    listed = (await client.get("/api/v1/orders", headers=ada)).json()["items"]
    assert [each["order_id"] for each in listed] == [order]
    end = snapshot(OrderStatus.CANCELLED, reason="cancelled_by_customer")
    world.broker.reply = lambda message: [(ORDER_CANCELLED, message.aggregate_id, end, 3)]
    answer = await client.post(f"{url}/cancel", headers={**ada, **WAIT})
    assert (answer.status_code, world.broker.sent[-1][2].user_id) == (200, None)
    assert (await client.post(f"{url}/cancel", headers=other)).status_code == 404
    second = {"email": "bob@example.com", "password": "correct horse battery"}
    await client.post("/api/v1/register", json=second)
    world.broker.reply = lambda _message: []
    late = (await client.post("/api/v1/login", json={**second, "cart_id": mine["X-Cart-Id"]})).json()
    bob = {"Authorization": f"Bearer {late['access_token']}"}
    assert (await client.get(url, headers=bob)).status_code == 404, "the first account keeps it"
