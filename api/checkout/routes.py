"""Checkout over HTTP."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api.accepted import Accepted, accepted
from api.answers import told
from api.auth.caller import Caller, KnownCaller
from api.checkout.models import CheckoutRequest
from api.idempotency import HEADER, IdempotentRoute, RequiredKey
from api.order.models import Order
from api.order.routes import order_url
from api.prefer import Wait, applied, granted
from api.problems import problems
from api.services import Use

router = APIRouter(tags=["checkout"], route_class=IdempotentRoute)

_ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"model": Accepted, "description": "Accepted; the outcome follows."}
}


@router.post(
    "/checkout",
    operation_id="checkout",
    status_code=201,
    response_model=Order,
    responses={**_ACCEPTED, **problems(401, 402, 409, 413, 415, 503)},
)
async def checkout(
    body: CheckoutRequest, key: RequiredKey, caller: KnownCaller, services: Use, wait: Wait
) -> Response:
    """Buy the cart.

    The card goes to the payment provider and nowhere else. The order's id comes from the caller and the
    `Idempotency-Key`, so a repeated request cannot buy twice; another attempt after a failure needs a new
    key. With `Prefer: wait` the answer is the confirmed order (201), or why there is none (402, 409).
    """
    result = await services.checkout.buy(caller, key, body, wait)
    url = order_url(result.order_id)
    if result.order is None:
        assert result.receipt is not None, "an order that is not known yet was asked for just now"
        return accepted(result.receipt, url)
    return told(result.order, 201, {**applied(wait), "Location": url})


async def checkout_directly(request: Request, body: CheckoutRequest, caller: Caller) -> Response:
    """Buy the cart: what `checkout` does, without the framework's way to it."""
    wait = granted(request, request.headers.get("Prefer"))
    return await checkout(body, request.headers[HEADER], caller, request.app.state.services, wait)
