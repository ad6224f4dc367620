from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from api.auth.caller import Caller
from api.auth.tokens import Role
from api.carts.view import CartState
from api.orders.checkout import checkout_id_of
from api.orders.snapshots import of_snapshot
from schemas.cart import CartLine, CartStatus, CartUpdated
from schemas.checkout import CheckoutFailed, Consent
from schemas.envelope import Message, derived_id
from schemas.order import (
    OrderCancel,
    OrderKind,
    OrderLine,
    OrderRejected,
    OrderSnapshot,
    OrderStatus,
)
from tests.unit.api.conftest import World
from tests.unit.api.fakes import Reply
from topics.registry import (
    CHECKOUT_FAILED,
    CHECKOUT_REQUESTED,
    ORDER_ADVANCE,
    ORDER_CANCEL,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_PLACED,
    ORDER_REFUNDED,
    ORDER_REJECTED,
    ORDER_SHIPPED,
)

WAIT = {"Prefer": "wait=2"}
CARD = {"card_number": "4242 4242 4242 4242", "expiry": "12/30", "cvc": "123"}
ADDRESS = {
    "name": "Ada",
    "country": "GB",
    "line1": "12 St James's Square",
    "city": "London",
    "postcode": "SW1Y 4JH",
}
BODY: dict[str, Any] = {
    "cart_version": 7,
    "total": 590,
    "payment": CARD,
    "address": ADDRESS,
    "email": "ada@example.com",
}


def snapshot(status: OrderStatus, **given: Any) -> OrderSnapshot:
    made = OrderSnapshot(
        kind=OrderKind.SALE,
        status=status,
        cart_id=str(uuid4()),
        user_id=None,
        email="ada@example.com",
        address=None,
        currency="GBP",
        lines=(OrderLine("A", "A", 2, "Product A", 295),),
        charges=(),
        goods=590,
        charged=0,
        total=590,
        payment_token="tok_4242",
        placed_at=1,
        updated_at=2,
    )
    return msgspec.structs.replace(made, **given)


def guest() -> dict[str, str]:
    return {"X-Cart-Id": str(uuid4())}


def ending(world: World, *ends: tuple[Any, msgspec.Struct]) -> None:
    def reply(message: Message[Any]) -> list[Reply]:
        order_id = message.data.order_id
        return [(topic, order_id, data, version) for version, (topic, data) in enumerate(ends, start=1)]

    world.broker.reply = reply


async def checkout(
    client: httpx.AsyncClient, headers: dict[str, str], key: str = "k1", **given: Any
) -> httpx.Response:
    return await client.post(
        "/api/v1/checkout", json={**BODY, **given}, headers={"Idempotency-Key": key, **headers}
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
    ending(world, (ORDER_CANCELLED, refused))
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
        from api.orders.snapshots import of_snapshot  # noqa: PLC0415 (only here)

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


async def bought(client: httpx.AsyncClient, world: World, headers: dict[str, str]) -> str:
    ending(world, (ORDER_CONFIRMED, snapshot(OrderStatus.CONFIRMED)))
    return str((await checkout(client, {**headers, **WAIT}, uuid4().hex)).json()["order_id"])


async def test_cancelling_speaks_for_the_caller(client: httpx.AsyncClient, world: World) -> None:
    mine = guest()
    order = await bought(client, world, mine)
    end = snapshot(OrderStatus.CANCELLED, reason="cancelled_by_customer")
    world.broker.reply = lambda message: [(ORDER_CANCELLED, message.aggregate_id, end, 3)]
    url = f"/api/v1/orders/{order}/cancel"
    assert (await client.post(url, headers=guest())).status_code == 404
    answer = await client.post(url, json={"reason": "changed my mind"}, headers={**mine, **WAIT})
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert (world.broker.sent[-1][0], world.broker.sent[-1][2].data) == (
        ORDER_CANCEL,
        OrderCancel("changed my mind"),
    )
    by_staff = await client.post(url, headers={**world.authorised(Role.STAFF), **WAIT})
    assert by_staff.status_code == 200
    assert world.broker.sent[-1][2].data.staff is True


async def test_an_order_that_has_left_the_dataflow_is_a_conflict(
    client: httpx.AsyncClient, world: World
) -> None:
    mine = guest()
    order = await bought(client, world, mine)
    refusal = OrderRejected("ecommerce.order.cancel", "unknown_order", "order_id", "no open order", None)
    world.broker.reply = lambda message: [(ORDER_REJECTED, message.aggregate_id, refusal, 0)]
    answer = await client.post(f"/api/v1/orders/{order}/cancel", headers={**mine, **WAIT})
    assert (answer.status_code, answer.json()["reason"]) == (409, "unknown_order")


async def test_a_shipment_that_waits_for_the_money_is_waited_for(
    client: httpx.AsyncClient, world: World
) -> None:
    order = await bought(client, world, guest())

    def reply(message: Message[Any]) -> list[Reply]:
        others = snapshot(OrderStatus.SHIPPED, tracking="of another command")
        world.broker.tell(ORDER_SHIPPED, message.aggregate_id, others, 4)
        waited = snapshot(OrderStatus.SHIPPED, command_id=message.event_id)
        world.broker.tell(ORDER_SHIPPED, message.aggregate_id, waited, 5)
        return []

    world.broker.reply = reply
    staff = world.authorised(Role.STAFF)
    answer = await client.post(
        f"/api/v1/orders/{order}/status", json={"status": "shipped"}, headers={**staff, **WAIT}
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "shipped")
    assert answer.json()["tracking"] is None
    assert world.broker.sent[-1][0] is ORDER_ADVANCE


async def test_a_refund_that_fails_ends_the_wait(client: httpx.AsyncClient, world: World) -> None:
    order = await bought(client, world, guest())
    refusal = OrderRejected("ecommerce.payment.failed", "refund_failed", "status", "no", None)

    def failing(message: Message[Any]) -> list[Reply]:
        named = msgspec.structs.replace(refusal, command_id=message.event_id)
        world.broker.tell(ORDER_REJECTED, message.aggregate_id, named, 4)
        return []

    def other_refusal_then_refund(message: Message[Any]) -> list[Reply]:
        other = msgspec.structs.replace(refusal, reason="illegal_move")
        world.broker.tell(ORDER_REJECTED, message.aggregate_id, other, 4)
        waited = snapshot(OrderStatus.REFUNDED, command_id=message.event_id)
        world.broker.tell(ORDER_REFUNDED, message.aggregate_id, waited, 5)
        return []

    staff = {**world.authorised(Role.STAFF), **WAIT}
    url = f"/api/v1/orders/{order}/status"
    world.broker.reply = failing
    answer = await client.post(url, json={"status": "refunded"}, headers=staff)
    assert (answer.status_code, answer.json()["reason"]) == (409, "refund_failed")
    world.broker.reply = other_refusal_then_refund
    answer = await client.post(url, json={"status": "refunded"}, headers=staff)
    assert (answer.status_code, answer.json()["status"]) == (200, "refunded")


async def test_a_shipment_that_a_cancellation_overtook_is_a_conflict(
    client: httpx.AsyncClient, world: World
) -> None:
    order = await bought(client, world, guest())

    def cancelled(message: Message[Any]) -> list[Reply]:
        order_id = message.aggregate_id
        world.broker.tell(ORDER_CANCELLED, order_id, snapshot(OrderStatus.CANCELLED), 4)
        off = OrderRejected(
            ORDER_ADVANCE.name, "shipment_called_off", "status", "too late", None, message.event_id
        )
        world.broker.tell(ORDER_REJECTED, order_id, off, 4)
        return []

    world.broker.reply = cancelled
    staff = {**world.authorised(Role.STAFF), **WAIT}
    answer = await client.post(f"/api/v1/orders/{order}/status", json={"status": "shipped"}, headers=staff)
    assert (answer.status_code, answer.json()["reason"]) == (409, "shipment_called_off")


async def test_a_cancellation_is_not_answered_by_the_shipment_that_it_calls_off(
    client: httpx.AsyncClient, world: World
) -> None:
    mine = guest()
    order = await bought(client, world, mine)
    off = OrderRejected(ORDER_ADVANCE.name, "shipment_called_off", "status", "too late", None, str(uuid4()))
    end = snapshot(OrderStatus.CANCELLED)
    world.broker.reply = lambda message: [
        (ORDER_REJECTED, message.aggregate_id, off, 3),
        (ORDER_CANCELLED, message.aggregate_id, end, 3),
    ]
    answer = await client.post(f"/api/v1/orders/{order}/cancel", headers={**mine, **WAIT})
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


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


async def test_only_staff_list_everyones_orders(client: httpx.AsyncClient, world: World) -> None:
    assert (await client.get("/api/v1/orders?everyone=true", headers=guest())).status_code == 403
    staff = world.authorised(Role.STAFF)
    assert (await client.get("/api/v1/orders?everyone=true", headers=staff)).json()["items"] == []
