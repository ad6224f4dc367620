"""A shopper's orders, and one order's progress, live."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import RedirectResponse, Response

from api.auth.caller import AnyCaller, Caller
from api.orders.models import UNFINISHED, Order, OrderEvent, Progress
from api.pages.refusals import sentence
from api.pages.rendering import fragment, page
from api.pages.route import PageRoute
from api.pages.steps import CANCELLABLE, steps
from api.services import Services, Use

router = APIRouter(route_class=PageRoute, include_in_schema=False)

WAIT_SECONDS = 5.0
# The views follow the events by milliseconds: an event is shown at once, its contents when they are there.
_VIEW_PAUSE_SECONDS, _VIEW_LOOKS = 0.05, 60


@router.get("/orders")
async def orders(
    request: Request,
    services: Use,
    caller: AnyCaller,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """List the caller's orders; somebody unknown has none."""
    if caller.owner is None:
        return page(request, "orders.html", caller, orders=[], next_cursor=None)
    found = await services.orders.page(caller, cursor=cursor)
    moving = cursor is None and any(each.status in UNFINISHED for each in found.items)
    return page(
        request, "orders.html", caller, orders=found.items, next_cursor=found.next_cursor, moving=moving
    )


@router.get("/orders/{order_id}")
async def order(request: Request, services: Use, caller: AnyCaller, order_id: UUID) -> Response:
    """Show one order."""
    found = await services.orders.read(caller, str(order_id))
    told = await services.progress.told(str(order_id))
    shown = await _progress(services, caller, found, told)
    return page(request, "order.html", **shown)


@router.get("/orders/{order_id}/progress")
async def progress(services: Use, caller: AnyCaller, order_id: UUID) -> EventSourceResponse:
    """Stream the order's progress as fragments of its page; `end` says that nothing more will come."""
    events = await services.progress.follow(caller, str(order_id))
    return EventSourceResponse(_stream(services, caller, str(order_id), events))


@router.post("/orders/{order_id}/cancel")
async def cancel(services: Use, caller: AnyCaller, order_id: UUID) -> Response:
    """Cancel the order."""
    await services.orders.cancel(caller, str(order_id), "cancelled by the customer", wait=WAIT_SECONDS)
    return RedirectResponse(f"/orders/{order_id}", 303)


async def _stream(
    services: Services, caller: Caller, order_id: str, events: AsyncIterator[OrderEvent]
) -> AsyncIterator[ServerSentEvent]:
    told: list[OrderEvent] = []
    async for event in events:
        told.append(event)
        found = await services.orders.read(caller, order_id)
        yield await _event(services, caller, found, told)
        for _ in range(_VIEW_LOOKS):
            if found.version >= event.version:
                break
            await asyncio.sleep(_VIEW_PAUSE_SECONDS)
            found = await services.orders.read(caller, order_id)
        yield await _event(services, caller, found, told)
    yield ServerSentEvent(event="end", data="")


async def _event(services: Services, caller: Caller, found: Order, told: list[OrderEvent]) -> ServerSentEvent:
    shown = await _progress(services, caller, found, told)
    return ServerSentEvent(event="progress", data=fragment("_progress.html", **shown))


async def _progress(
    services: Services, caller: Caller, found: Order, told: list[OrderEvent]
) -> dict[str, Any]:
    last = told[-1] if told else None
    status = last.status if last else found.status
    refusal = None
    if status in (Progress.CANCELLED, Progress.FAILED):
        cause = last or found
        product = await services.catalogue.product(cause.sku) if cause.sku else None
        refusal = sentence(cause, product.name if product else None)
    return {
        "caller": caller,
        "order_id": found.order_id,
        "order": found.model_copy(update={"status": status}) if found.lines else None,
        "steps": steps(told),
        "refusal": refusal,
        "cancellable": status in CANCELLABLE and (last is None or last.version > 0),
    }
