import asyncio
from typing import Any
from uuid import uuid4

import pytest

from api.auth.caller import Caller
from api.checkout.service import checkout_id_of
from api.command_records import CommandRecord, Status
from api.heard import Heard
from api.order import progress as module
from api.order.models import OrderEvent, Progress
from api.order.snapshots import of_heard, of_snapshot
from api.problems import Problem
from schemas.checkout import CheckoutFailed
from schemas.order import OrderStatus
from tests.eventually import eventually_async
from tests.unit.api.buying import snapshot
from tests.unit.api.conftest import World
from topics.registry import (
    CHECKOUT_FAILED,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_DELIVERED,
    ORDER_PLACED,
    ORDER_REFUNDED,
)

ORDER = str(uuid4())


@pytest.fixture
def caller() -> Caller:
    return Caller(guest_cart=str(uuid4()))


def shown(world: World, caller: Caller, status: OrderStatus, version: int) -> None:
    """Let the views have the order, and its event."""
    assert caller.owner is not None
    world.orders.known[ORDER] = (caller.owner, of_snapshot(ORDER, version, snapshot(status)))
    event = OrderEvent(
        order_id=ORDER,
        event=f"order.{status}",
        status=Progress(status.value),
        version=version,
        occurred_at=version,
    )
    world.orders.told.append(event)


class Reader:
    """Follows an order in the background."""

    def __init__(self, world: World, caller: Caller, after: int = 0) -> None:
        self._seen: asyncio.Queue[OrderEvent] = asyncio.Queue()
        self.task = asyncio.create_task(self._read(world, caller, after))

    async def _read(self, world: World, caller: Caller, after: int) -> None:
        async for event in await world.services.progress.follow(caller, ORDER, after):
            await self._seen.put(event)

    async def next(self) -> OrderEvent:
        return await asyncio.wait_for(self._seen.get(), 5)

    async def ended(self) -> list[OrderEvent]:
        await asyncio.wait_for(self.task, 5)
        return [self._seen.get_nowait() for _ in range(self._seen.qsize())]


async def test_history_then_live_until_the_end(world: World, caller: Caller) -> None:
    shown(world, caller, OrderStatus.PLACED, 10)
    reader = Reader(world, caller)
    assert (await reader.next()).status is Progress.PLACED
    world.broker.tell(ORDER_PLACED, ORDER, snapshot(OrderStatus.PLACED), 10)
    world.broker.tell(ORDER_CONFIRMED, ORDER, snapshot(OrderStatus.CONFIRMED), 11)
    confirmed = await reader.next()
    assert (confirmed.event, confirmed.version, confirmed.total) == ("order.confirmed", 11, 590)
    world.broker.tell(ORDER_DELIVERED, ORDER, snapshot(OrderStatus.DELIVERED), 14)
    assert [event.status for event in await reader.ended()] == [Progress.DELIVERED]


async def test_a_refund_after_the_delivery_is_told_last(world: World, caller: Caller) -> None:
    for status, version in (
        (OrderStatus.PLACED, 1),
        (OrderStatus.SHIPPED, 4),
        (OrderStatus.DELIVERED, 5),
        (OrderStatus.REFUNDED, 6),
    ):
        shown(world, caller, status, version)
    assert [event.version for event in await Reader(world, caller).ended()] == [1, 4, 5, 6]
    assert [event.status for event in await Reader(world, caller, 5).ended()] == [Progress.REFUNDED]
    assert await Reader(world, caller, 6).ended() == []


async def test_a_refund_that_comes_while_the_delivery_is_told_is_told_too(
    world: World, caller: Caller
) -> None:
    shown(world, caller, OrderStatus.PLACED, 1)
    reader = Reader(world, caller)
    await reader.next()
    world.broker.tell(ORDER_DELIVERED, ORDER, snapshot(OrderStatus.DELIVERED), 2)
    assert (await reader.next()).status is Progress.DELIVERED
    world.broker.tell(ORDER_REFUNDED, ORDER, snapshot(OrderStatus.REFUNDED), 3)
    assert [event.status for event in await reader.ended()] == [Progress.REFUNDED]


async def test_an_order_that_has_ended_is_told_from_where_the_client_was(
    world: World, caller: Caller
) -> None:
    for status, version in ((OrderStatus.PLACED, 1), (OrderStatus.CONFIRMED, 2), (OrderStatus.CANCELLED, 3)):
        shown(world, caller, status, version)
    assert [event.version for event in await Reader(world, caller).ended()] == [1, 2, 3]
    assert [event.version for event in await Reader(world, caller, 2).ended()] == [3]
    assert await Reader(world, caller, 3).ended() == []


async def test_what_came_after_an_end_is_told(world: World, caller: Caller) -> None:
    for status, version in ((OrderStatus.SHIPPED, 1), (OrderStatus.DELIVERED, 2), (OrderStatus.REFUNDED, 3)):
        shown(world, caller, status, version)
    assert [event.status for event in await Reader(world, caller).ended()] == [
        Progress.SHIPPED,
        Progress.DELIVERED,
        Progress.REFUNDED,
    ]
    assert [event.version for event in await Reader(world, caller, 2).ended()] == [3]


async def test_an_end_that_passed_unheard_is_found_by_the_second_look(
    world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SECOND_LOOK_SECONDS", 0.02)
    shown(world, caller, OrderStatus.PLACED, 1)
    reader = Reader(world, caller)
    await reader.next()
    shown(world, caller, OrderStatus.CANCELLED, 2)
    assert [event.status for event in await reader.ended()] == [Progress.CANCELLED]


async def remember(world: World, caller: Caller, status: Status, outcome: dict[str, Any] | None) -> None:
    assert caller.owner is not None
    record = CommandRecord(
        checkout_id_of(ORDER),
        "ecommerce.checkout.requested",
        "cart",
        caller.owner,
        status,
        1,
        event=CHECKOUT_FAILED.name if outcome else None,
        outcome=outcome,
    )
    await world.services.commands._records.keep(record)


async def test_a_checkout_that_never_became_an_order_ends_the_stream(world: World, caller: Caller) -> None:
    await remember(world, caller, Status.ACCEPTED, None)
    reader = Reader(world, caller)

    async def listening() -> bool:
        return bool(world.tail._waiting)

    await eventually_async(listening)
    world.broker.tell(CHECKOUT_FAILED, ORDER, CheckoutFailed("cart", "empty_cart", "nothing"), 2)
    (event,) = await reader.ended()
    assert (event.event, event.status, event.reason) == ("checkout.failed", Progress.FAILED, "empty_cart")


async def test_a_failure_that_is_known_already_is_told(world: World, caller: Caller) -> None:
    await remember(world, caller, Status.REJECTED, {"reason": "empty_cart", "detail": "nothing", "sku": None})
    (event,) = await Reader(world, caller).ended()
    assert (event.status, event.reason) == (Progress.FAILED, "empty_cart")


async def test_a_foreign_order_cannot_be_followed(world: World, caller: Caller) -> None:
    shown(world, caller, OrderStatus.PLACED, 1)
    with pytest.raises(Problem) as refused:
        await world.services.progress.follow(Caller(guest_cart=str(uuid4())), ORDER)
    assert refused.value.status == 404


async def test_the_failure_of_a_placed_order_is_told_by_the_order_itself(
    world: World, caller: Caller
) -> None:
    shown(world, caller, OrderStatus.PLACED, 1)
    reader = Reader(world, caller)
    await reader.next()
    world.broker.tell(CHECKOUT_FAILED, ORDER, CheckoutFailed("cart", "payment_failed", "no"), 2)
    world.broker.tell(ORDER_CANCELLED, ORDER, snapshot(OrderStatus.CANCELLED, reason="payment_failed"), 2)
    assert [event.event for event in await reader.ended()] == ["order.cancelled"]


def test_a_step_carries_no_token() -> None:
    message: Any = type("M", (), {})()
    message.aggregate_id, message.aggregate_version, message.occurred_at = ORDER, 1, 2
    message.data = snapshot(OrderStatus.CONFIRMED)
    assert "tok_" not in of_heard(Heard(ORDER_CONFIRMED, message)).model_dump_json()
