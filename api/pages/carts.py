"""The cart: what is in it, and changing that. Every change waits for the dataflow's answer."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.auth.caller import CART_COOKIE, AnyCaller, Caller, new_guest_cart
from api.carts.models import Cart
from api.carts.service import CartResult
from api.catalogue.models import Sku
from api.names import LINE_ID
from api.pages.rendering import page, wants_fragment
from api.pages.route import PageRoute
from api.problems import Problem
from api.services import Services, Use
from schemas.sku import SKU_MAX_LENGTH

router = APIRouter(route_class=PageRoute, include_in_schema=False)

WAIT_SECONDS = 5.0
GUEST_CART_SECONDS = 30 * 86_400
Quantity = Annotated[int, Form(gt=0, lt=2**31)]
LineId = Annotated[str, Path(max_length=SKU_MAX_LENGTH)]


@router.get("/cart")
async def show(request: Request, services: Use, caller: AnyCaller) -> Response:
    """Show the cart."""
    cart = await services.carts.read(caller.cart_id)
    return page(request, "cart.html", caller, cart=cart, pieces=cart.pieces)


@router.get("/cart/badge")
async def badge(services: Use, caller: AnyCaller) -> HTMLResponse:
    """Return how many pieces are in the cart."""
    return HTMLResponse(str((await services.carts.read(caller.cart_id)).pieces))


@router.post("/cart/items")
async def add(
    request: Request, services: Use, caller: AnyCaller, sku: Annotated[Sku, Form()], quantity: Quantity = 1
) -> Response:
    """Put pieces of a product into the cart; a guest's first one begins a cart."""
    cart_id = caller.cart_id or new_guest_cart()
    result = await services.carts.add(cart_id, caller.user_id, sku, quantity, wait=WAIT_SECONDS)
    if wants_fragment(request):
        # The outcome says how many pieces there are now; the view may be some milliseconds behind it.
        pieces = result.cart.pieces if result.cart else None
        answer = page(request, "_added.html", caller, pieces=pieces)
    else:
        answer = RedirectResponse("/cart", 303)
    if caller.cart_id is None:
        answer.set_cookie(
            CART_COOKIE,
            cart_id,
            max_age=GUEST_CART_SECONDS,
            httponly=True,
            samesite="lax",
            secure=services.options.secure_cookies,
        )
    return answer


@router.post(f"/cart/items/{LINE_ID}")
async def change(
    request: Request, services: Use, caller: AnyCaller, line_id: LineId, quantity: Quantity
) -> Response:
    """Set a line's quantity."""
    cart_id = _known(caller)
    try:
        result = await services.carts.change(cart_id, caller.user_id, line_id, quantity, wait=WAIT_SECONDS)
    except Problem as problem:
        return await _unchanged(request, services, caller, problem)
    return await _changed(request, services, caller, result)


@router.post(f"/cart/items/{LINE_ID}/remove")
async def remove(request: Request, services: Use, caller: AnyCaller, line_id: LineId) -> Response:
    """Take a line out."""
    cart_id = _known(caller)
    try:
        result = await services.carts.remove(cart_id, caller.user_id, line_id, wait=WAIT_SECONDS)
    except Problem as problem:
        return await _unchanged(request, services, caller, problem)
    return await _changed(request, services, caller, result)


def _known(caller: Caller) -> str:
    if caller.cart_id is None:
        raise Problem(404, "there is no cart yet")
    return caller.cart_id


async def _unchanged(request: Request, services: Services, caller: Caller, problem: Problem) -> Response:
    cart = await services.carts.read(caller.cart_id)
    return _cart(request, caller, cart, problem.detail)


async def _changed(request: Request, services: Services, caller: Caller, result: CartResult) -> Response:
    return _cart(request, caller, result.cart or await services.carts.read(caller.cart_id), None)


def _cart(request: Request, caller: Caller, cart: Cart, message: str | None) -> Response:
    if not wants_fragment(request):
        if message is None:
            return RedirectResponse("/cart", 303)
        return page(request, "cart.html", caller, 409, cart=cart, pieces=cart.pieces, message=message)
    return page(request, "_cart.html", caller, cart=cart, message=message, told=True)
