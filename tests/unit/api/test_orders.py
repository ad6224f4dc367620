"""Orders after they were placed: cancelled, sent on, refunded, listed."""

from typing import Any
from uuid import uuid4

import httpx
import msgspec

from api.auth.tokens import Role
from schemas.envelope import Message
from schemas.order import (
    OrderCancel,
    OrderRejected,
    OrderStatus,
)
from tests.unit.api.buying import WAIT, bought, guest, snapshot
from tests.unit.api.conftest import World
from tests.unit.api.fakes import Reply
from topics.registry import (
    ORDER_ADVANCE,
    ORDER_CANCEL,
    ORDER_CANCELLED,
    ORDER_REFUNDED,
    ORDER_REJECTED,
    ORDER_SHIPPED,
)


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


async def test_only_staff_list_everyones_orders(client: httpx.AsyncClient, world: World) -> None:
    assert (await client.get("/api/v1/orders?everyone=true", headers=guest())).status_code == 403
    staff = world.authorised(Role.STAFF)
    assert (await client.get("/api/v1/orders?everyone=true", headers=staff)).json()["items"] == []
