"""A shopper's orders, and one order's progress, live."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import RedirectResponse, Response

from api.auth.caller import AnyCaller, Caller
from api.auth.tokens import unauthorized
from api.order import refunds
from api.order.models import TERMINAL, UNFINISHED, Order, OrderEvent, Progress
from api.order.progress import until_away
from api.order.refusals import again, sentence
from api.order.steps import CANCELLABLE, WORDS, steps
from api.pages.rendering import fragment, page
from api.pages.route import PageRoute
from api.problems import Problem
from api.services import Services, Use

router = APIRouter(route_class=PageRoute, include_in_schema=False)

WAIT_SECONDS = 5.0
# The views follow the events by milliseconds: an event is shown at once, its contents when they are there.
_VIEW_PAUSE_SECONDS, _VIEW_LOOKS = 0.05, 60
_CONFLICT, _NOT_FOUND = 409, 404
_WHOSE = "whose orders are meant is known after a log-in"


@router.get("/orders")
async def orders(
    request: Request,
    services: Use,
    caller: AnyCaller,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """List the caller's orders; who is nobody, or a guest who has bought nothing, is led to the log-in."""
    if caller.owner is None:
        raise unauthorized(_WHOSE)
    found = await services.orders.page(caller, cursor=cursor)
    if caller.user is None and not found.items and cursor is None:
        raise unauthorized(_WHOSE)
    moving = cursor is None and any(each.status in UNFINISHED for each in found.items)
    return page(
        request,
        "orders.html",
        caller,
        orders=found.items,
        next_cursor=found.next_cursor,
        moving=moving,
        words=WORDS,
    )


@router.get("/orders/{order_id}")
async def order(request: Request, services: Use, caller: AnyCaller, order_id: UUID) -> Response:
    """Show one order; of one that nobody in this browser may see, a log-in may tell more."""
    try:
        return await _page(request, services, caller, str(order_id))
    except Problem as problem:
        if problem.status == _NOT_FOUND and caller.user is None:
            raise unauthorized(_WHOSE) from problem
        raise


@router.get("/orders/{order_id}/progress")
async def progress(
    services: Use, caller: AnyCaller, order_id: UUID, after: Annotated[int, Query(ge=0, lt=2**63)] = 0
) -> EventSourceResponse:
    """Stream the order's progress above version `after` as fragments of its page; `end` ends it."""
    known = [event for event in await services.progress.told(str(order_id)) if event.version <= after]
    events = await services.progress.follow(caller, str(order_id), after)
    return EventSourceResponse(until_away(_stream(services, caller, str(order_id), known, events)))


@router.post("/orders/{order_id}/cancel")
async def cancel(request: Request, services: Use, caller: AnyCaller, order_id: UUID) -> Response:
    """Cancel the order; where it is too late for that, its page says so."""
    try:
        await services.orders.cancel(caller, str(order_id), "cancelled by the customer", wait=WAIT_SECONDS)
    except Problem as problem:
        if problem.status != _CONFLICT:
            raise
        said = "This order has gone on meanwhile and can no longer be cancelled."
        return await _page(request, services, caller, str(order_id), _CONFLICT, said)
    return RedirectResponse(f"/orders/{order_id}", 303)


async def _page(
    request: Request,
    services: Services,
    caller: Caller,
    order_id: str,
    status: int = 200,
    message: str | None = None,
) -> Response:
    found = await services.orders.read(caller, order_id)
    told = await services.progress.told(order_id)
    shown = await _progress(services, caller, found, told)
    return page(request, "order.html", status=status, message=message, **shown)


async def _stream(
    services: Services,
    caller: Caller,
    order_id: str,
    told: list[OrderEvent],
    events: AsyncIterator[OrderEvent],
) -> AsyncIterator[ServerSentEvent]:
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
    last = told[-1] if told and told[-1].version >= found.version else None
    status = last.status if last else found.status
    products = await services.catalogue.products(
        {line.sku for line in found.lines if line.name is None} | ({found.sku} if found.sku else set())
    )
    lines = [
        line.model_copy(
            update={"name": line.name or (products[line.sku].name if line.sku in products else None)}
        )
        for line in found.lines
    ]
    refusal = way_on = None
    if status in (Progress.CANCELLED, Progress.FAILED):
        cause = last or found
        product = await services.catalogue.product(cause.sku) if cause.sku else None
        asked = sum(line.quantity for line in found.lines if line.sku == cause.sku) or None
        refusal = sentence(cause, product, asked)
        way_on = again(cause)
    shown = found.model_copy(update={"status": status, "lines": lines}) if lines else None
    return {
        "caller": caller,
        "order_id": found.order_id,
        "order": shown,
        "word": WORDS.get(status, status.value),
        "steps": steps(told),
        "refusal": refusal,
        "again": way_on,
        "money_back": refunds.told(found, status),
        "settling": refunds.settling(found, status),
        # Events and order are read one after the other, and either may be behind: the stream tells the rest.
        # Of a checkout that failed the events tell nothing.
        "live": last is None or last.status not in TERMINAL or last.version > found.version,
        "seen": min(told[-1].version, found.version) if told else 0,
        "cancellable": status in CANCELLABLE and (last is None or last.version > 0),
    }
