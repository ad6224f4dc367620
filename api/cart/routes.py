"""The cart: one per user, and one per guest's secret."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api import wording
from api.accepted import Accepted, accepted
from api.answers import told
from api.auth.caller import CART_HEADER, OPTIONAL, AnyCaller, Caller, KnownCaller, guest
from api.auth.cookies import cookies_of
from api.auth.guests import new_guest_secret
from api.cart.models import Cart, ItemChange, NewItem
from api.cart.service import CartResult
from api.idempotency import HEADER, CommandId, IdempotentRoute, command_id_of
from api.names import LINE_ID
from api.prefer import Wait, applied, granted
from api.problems import problems
from api.services import Use

router = APIRouter(prefix="/cart", tags=["cart"], route_class=IdempotentRoute)

CART_URL = "/api/v1/cart"
_MONTH_SECONDS = 30 * 86_400
_ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"model": Accepted, "description": "Accepted; the outcome follows."}
}

LineId = Annotated[str, Path(min_length=1, max_length=64, pattern=wording.NAMED_NO_NUL, examples=["85123A"])]


def _answer(caller: Caller, result: CartResult, wait: float | None) -> Response:
    if result.cart is None:
        return accepted(result.receipt, CART_URL)
    headers = {**applied(wait), "ETag": f'"{result.cart.version}"'}
    return told(_named(caller, result.cart), headers=headers)


def _named(caller: Caller, cart: Cart) -> Cart:
    """Return the cart under the name that its caller knows."""
    return cart.model_copy(update={"cart_id": caller.cart_name})


def remember_guest(response: Response, request: Request, secret: str) -> None:
    """Tell a new guest the cart's secret, by header and by cookie."""
    response.headers[CART_HEADER] = secret
    cookies_of(request).set_cart(response, secret, _MONTH_SECONDS)


@router.get("", operation_id="getCart", openapi_extra=OPTIONAL, responses=problems(401, 503))
async def get_cart(caller: AnyCaller, services: Use, response: Response) -> Cart:
    """Return the caller's cart at current prices; an empty one where there is none yet."""
    cart = await services.carts.read(caller.cart_id)
    response.headers["ETag"] = f'"{cart.version}"'
    return _named(caller, cart)


@router.post(
    "/items",
    operation_id="addCartItem",
    openapi_extra=OPTIONAL,
    response_model=Cart,
    responses={**_ACCEPTED, **problems(401, 409, 413, 415, 503)},
)
async def add_item(
    body: NewItem, request: Request, caller: AnyCaller, services: Use, wait: Wait, command_id: CommandId
) -> Response:
    """Put pieces of a product into the cart; a guest's first item makes the cart."""
    known = caller if caller.cart_id else guest(services.guest_carts, new_guest_secret())
    assert known.cart_id is not None, "a new guest has a cart"
    result = await services.carts.add(
        known.cart_id, known.user_id, body.sku, body.quantity, command_id=command_id, wait=wait
    )
    response = _answer(known, result, wait)
    if caller.cart_id is None and known.guest_secret is not None:
        remember_guest(response, request, known.guest_secret)
    return response


async def add_item_directly(request: Request, body: NewItem, caller: Caller) -> Response:
    """Put pieces of a product into the cart: what `add_item` does, without the framework's way to it."""
    wait = granted(request, request.headers.get("Prefer"))
    command_id = command_id_of(request, caller, request.headers.get(HEADER))
    return await add_item(body, request, caller, request.app.state.services, wait, command_id)


@router.patch(
    f"/items/{LINE_ID}",
    operation_id="changeCartItem",
    response_model=Cart,
    responses={**_ACCEPTED, **problems(401, 404, 409, 413, 415, 503)},
)
async def change_item(
    line_id: LineId, body: ItemChange, caller: KnownCaller, services: Use, wait: Wait, command_id: CommandId
) -> Response:
    """Set a line's quantity."""
    result = await services.carts.change(
        caller.cart_id or "", caller.user_id, line_id, body.quantity, command_id=command_id, wait=wait
    )
    return _answer(caller, result, wait)


@router.delete(
    f"/items/{LINE_ID}",
    operation_id="removeCartItem",
    response_model=Cart,
    responses={**_ACCEPTED, **problems(401, 404, 409, 503)},
)
async def remove_item(
    line_id: LineId, caller: KnownCaller, services: Use, wait: Wait, command_id: CommandId
) -> Response:
    """Take a line out of the cart."""
    result = await services.carts.remove(
        caller.cart_id or "", caller.user_id, line_id, command_id=command_id, wait=wait
    )
    return _answer(caller, result, wait)


@router.delete(
    "",
    operation_id="clearCart",
    response_model=Cart,
    responses={**_ACCEPTED, **problems(401, 409, 503)},
)
async def clear_cart(caller: KnownCaller, services: Use, wait: Wait, command_id: CommandId) -> Response:
    """Empty the cart."""
    result = await services.carts.clear(
        caller.cart_id or "", caller.user_id, command_id=command_id, wait=wait
    )
    return _answer(caller, result, wait)
