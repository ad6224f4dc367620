"""An order's progress as it happens: what the views have, then what the tail hears."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import structlog
from sse_starlette import ServerSentEvent

from api.auth.caller import Caller
from api.order.models import FINAL, TERMINAL, OrderEvent, Progress
from api.order.queries import Orders
from api.order.sequence import Sequence
from api.order.service import OrderService
from api.order.snapshots import of_heard
from api.problems import Problem
from api.tail import Dispatcher, Subscription
from topics.order import ORDER_EVENTS
from topics.registry import CHECKOUT_FAILED

_log = structlog.get_logger()

# What passed the tail before the stream began, and reached the views later, is found by this second look.
# What happens later is heard, so the looks become rare: a stream that waits costs the views next to nothing.
_SECOND_LOOK_SECONDS = 2.0
_LONGEST_LOOK_SECONDS = 60.0
# So many streams look at the same time; there are far more of them than connections to the views.
_LOOKERS = 3
# Events of one order travel on several topics: a later one that overtook others waits this long for them.
_EARLIER_SECONDS = 0.5


async def until_away(events: AsyncIterator[ServerSentEvent]) -> AsyncIterator[ServerSentEvent]:
    """Yield a stream's events, and end it where a server behind is away: its client comes again by itself.

    An answer that has begun can become no other, so there is nobody to tell the problem to.
    """
    try:
        async for event in events:
            yield event
    except Problem as problem:
        _log.info("stream_ended", status=problem.status, detail=problem.detail)


async def _heard(
    subscription: Subscription, told: Sequence, failed: OrderEvent | None, seconds: float
) -> AsyncGenerator[OrderEvent, None]:
    """Yield what is heard, in order, until it is time to look into the views again.

    A failure is yielded only to say that it was heard.
    """
    while True:
        hurried = told.incomplete or failed is not None or told.status in TERMINAL
        heard = await subscription.next(_EARLIER_SECONDS if hurried else seconds)
        if heard is None:
            return
        event = of_heard(heard)
        if event.status is not Progress.FAILED:
            for ready in told.offer(event):
                yield ready
            if told.status in FINAL:
                return
        elif told.last == 0 and failed is None:
            yield event


class OrderProgress:
    """Streams of order events."""

    def __init__(self, orders: OrderService, views: Orders, tail: Dispatcher) -> None:
        self._orders = orders
        self._views = views
        self._tail = tail
        self._looking = asyncio.Semaphore(_LOOKERS)

    async def follow(self, caller: Caller, order_id: str, after: int = 0) -> AsyncGenerator[OrderEvent, None]:
        """Return the order's events above version `after`, until it has ended; close it when nobody reads on.

        The last event tells the order as it stands: of a delivered one it is looked whether it was refunded.

        Raises a 404 Problem at once where the order is not the caller's to see.
        """
        await self._orders.read(caller, order_id)
        return self._events(caller, order_id, after)

    async def told(self, order_id: str) -> list[OrderEvent]:
        """Return the events that the views have; whether the caller may see the order is checked before."""
        return await self._views.events(order_id, 0)

    async def _events(self, caller: Caller, order_id: str, after: int) -> AsyncGenerator[OrderEvent, None]:
        with self._tail.subscribe(order_id, (*ORDER_EVENTS, CHECKOUT_FAILED)) as subscription:
            async with self._looking:
                order = await self._orders.read(caller, order_id)
            told = Sequence(after, order.status if 0 < order.version <= after else None)
            failed: OrderEvent | None = None
            pause = _SECOND_LOOK_SECONDS
            while True:
                async with self._looking:
                    known = await self._views.events(order_id, told.last)
                fresh = told.settle(known)
                for event in fresh:
                    yield event
                if told.status in FINAL or (told.status in TERMINAL and not fresh):
                    return
                # An order that was placed tells its end itself; only one that never was ends here.
                if failed is not None and told.last == 0:
                    yield failed
                    return
                # Before an order is placed no view has it, so a missed refusal is looked up by itself.
                failed = await self._failure(caller, order_id) if told.last == 0 else None
                seconds, pause = pause, min(pause * 2, _LONGEST_LOOK_SECONDS)
                async for event in _heard(subscription, told, failed, seconds):
                    if event.status is Progress.FAILED:
                        failed = event
                        break
                    yield event

    async def _failure(self, caller: Caller, order_id: str) -> OrderEvent | None:
        async with self._looking:
            order = await self._orders.read(caller, order_id)
        if order.status is not Progress.FAILED:
            return None
        return OrderEvent(
            order_id=order_id,
            event=CHECKOUT_FAILED.name.removeprefix("ecommerce."),
            status=order.status,
            version=0,
            occurred_at=order.updated_at,
            reason=order.reason,
            detail=order.detail,
            sku=order.sku,
        )
