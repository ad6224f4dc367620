"""Orders over HTTP."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.accepted import Accepted, accepted
from api.answers import told
from api.auth.caller import KnownCaller, StaffCaller
from api.commands import Receipt
from api.idempotency import CommandId, IdempotentRoute
from api.order.models import Cancellation, Order, OrderEvent, OrderPage, StatusChange
from api.order.progress import until_away
from api.prefer import Wait, applied
from api.problems import problems
from api.services import Use
from schemas.order import OrderStatus

router = APIRouter(prefix="/orders", tags=["orders"], route_class=IdempotentRoute)

_ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"model": Accepted, "description": "Accepted; the outcome follows."}
}
_PING_SECONDS = 15
_BIGINT = 2**63

OrderId = Annotated[UUID, Path(description="Order id.", examples=["6c1f6f0e-5f39-5d7e-8a4e-0a8f6b0c1d2e"])]


def order_url(order_id: str) -> str:
    """Return where an order is read."""
    return f"/api/v1/orders/{order_id}"


@router.get("", operation_id="listOrders", responses=problems(401, 403, 503))
async def list_orders(
    caller: KnownCaller,
    services: Use,
    status: OrderStatus | None = None,
    everyone: Annotated[bool, Query(description="Everyone's orders, for staff.")] = False,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=1024)] = None,
) -> OrderPage:
    """Return a page of the caller's orders, the newest first."""
    return await services.orders.page(caller, limit, cursor, status=status, everyone=everyone)


@router.get("/{order_id}", operation_id="getOrder", responses=problems(401, 404, 503))
async def get_order(order_id: OrderId, caller: KnownCaller, services: Use) -> Order:
    """Return an order of the caller's; staff may read any."""
    return await services.orders.read(caller, str(order_id))


@router.post(
    "/{order_id}/cancel",
    operation_id="cancelOrder",
    response_model=Order,
    responses={**_ACCEPTED, **problems(401, 404, 409, 413, 415, 503)},
)
async def cancel_order(
    order_id: OrderId,
    caller: KnownCaller,
    services: Use,
    wait: Wait,
    command_id: CommandId,
    body: Cancellation | None = None,
) -> Response:
    """Cancel an order that is not shipped yet."""
    reason = (body or Cancellation()).reason
    receipt, order = await services.orders.cancel(
        caller, str(order_id), reason, command_id=command_id, wait=wait
    )
    return _answer(receipt, order, wait)


@router.post(
    "/{order_id}/status",
    operation_id="advanceOrder",
    tags=["staff"],
    response_model=Order,
    responses={**_ACCEPTED, **problems(401, 403, 404, 409, 413, 415, 503)},
)
async def advance_order(
    order_id: OrderId,
    body: StatusChange,
    caller: StaffCaller,
    services: Use,
    wait: Wait,
    command_id: CommandId,
) -> Response:
    """Move an order on: to processing, shipped, delivered or refunded."""
    receipt, order = await services.orders.advance(
        caller, str(order_id), body.status, body.tracking, command_id=command_id, wait=wait
    )
    return _answer(receipt, order, wait)


@router.get(
    "/{order_id}/events",
    operation_id="followOrder",
    response_class=EventSourceResponse,
    responses={
        200: {
            "description": "The order's events, from the first or after `Last-Event-ID`, until it has ended.",
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": 'id: 1795250000121\nevent: order.confirmed\ndata: {"status":"confirmed"}\n\n',
                }
            },
        },
        **problems(401, 404, 429, 503),
    },
)
async def follow_order(
    order_id: OrderId,
    caller: KnownCaller,
    services: Use,
    last_event_id: Annotated[
        int, Header(alias="Last-Event-ID", ge=0, lt=_BIGINT, description="Version of the last event seen.")
    ] = 0,
) -> EventSourceResponse:
    """Stream an order's progress as server-sent events; each event's id is the order's version."""
    events = await services.progress.follow(caller, str(order_id), last_event_id)
    return EventSourceResponse(until_away(_stream(events)), ping=_PING_SECONDS)


async def _stream(events: AsyncGenerator[OrderEvent, None]) -> AsyncIterator[ServerSentEvent]:
    async with aclosing(events):
        async for event in events:
            yield ServerSentEvent(event.model_dump_json(), event=event.event, id=str(event.version))


def _answer(receipt: Receipt, order: Order | None, wait: float | None) -> Response:
    if order is None:
        return accepted(receipt, order_url(receipt.record.key))
    return told(order, headers=applied(wait))
