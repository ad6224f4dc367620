"""The cart: what is in it, and changing that. Every change waits for the dataflow's answer.

The cart is one form. Whatever button is pressed sends every quantity with it, so a number just typed is never
lost, with scripts or without; lines are named by fields, never by a path.
"""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.auth.caller import AnyCaller, Caller, guest
from api.auth.cookies import cookies_of
from api.auth.guests import new_guest_secret
from api.cart.models import Cart
from api.cart.quantities import Changes, Wish, changes, fault, told
from api.cart.service import CartResult
from api.pages.rendering import page, wants_fragment
from api.pages.route import PageRoute
from api.problems import Problem
from api.product.models import Sku
from api.services import Services, Use

router = APIRouter(route_class=PageRoute, include_in_schema=False)

WAIT_SECONDS = 5.0
GUEST_CART_SECONDS = 30 * 86_400
# Three fields a line, for the longest cart that any shop may allow; the body's own limit holds as well.
_MOST_FIELDS = 3 * 5000 + 10
_SERVER_FAULT, _TOO_MANY = 500, 429
Quantity = Annotated[int, Form(gt=0, lt=2**31)]


async def _sent(request: Request) -> FormData:
    try:
        return await request.form(max_fields=_MOST_FIELDS)
    except HTTPException as error:
        raise Problem(error.status_code, "the form cannot be read") from error


Sent = Annotated[FormData, Depends(_sent)]


@router.get("/cart")
async def show(request: Request, services: Use, caller: AnyCaller) -> Response:
    """Show the cart."""
    return _page(request, caller, await services.carts.read(caller.cart_id), Changes())


@router.get("/cart/badge")
async def badge(services: Use, caller: AnyCaller) -> HTMLResponse:
    """Return how many pieces are in the cart."""
    return HTMLResponse(str((await services.carts.read(caller.cart_id)).pieces))


@router.post("/cart/items")
async def add(
    request: Request, services: Use, caller: AnyCaller, sku: Annotated[Sku, Form()], quantity: Quantity = 1
) -> Response:
    """Put pieces of a product into the cart; a guest's first one begins a cart."""
    known = caller if caller.cart_id else guest(services.guest_carts, new_guest_secret())
    assert known.cart_id is not None, "a new guest has a cart"
    result = await services.carts.add(known.cart_id, known.user_id, sku, quantity, wait=WAIT_SECONDS)
    if wants_fragment(request):
        # The outcome says how many pieces there are now; the view may be some milliseconds behind it.
        pieces = result.cart.pieces if result.cart else None
        answer = page(request, "_added.html", caller, pieces=pieces)
    else:
        answer = RedirectResponse("/cart", 303)
    if caller.cart_id is None and known.guest_secret is not None:
        cookies_of(request).set_cart(answer, known.guest_secret, GUEST_CART_SECONDS)
    return answer


@router.post("/cart")
async def change(request: Request, services: Use, caller: AnyCaller, sent: Sent) -> Response:
    """Set the quantities that were typed."""
    cart, outcome = await _apply(services, caller, sent)
    if wants_fragment(request) or outcome.faults:
        return _page(request, caller, cart, outcome, sent)
    return RedirectResponse("/cart", 303)


@router.post("/cart/remove")
async def remove(
    request: Request, services: Use, caller: AnyCaller, sent: Sent, line: Annotated[str, Form(alias="remove")]
) -> Response:
    """Take a line out, and set what else was typed."""
    cart, outcome = await _apply(services, caller, sent, line)
    if wants_fragment(request) or outcome.faults:
        return _page(request, caller, cart, outcome, sent)
    return RedirectResponse("/cart", 303)


@router.post("/cart/checkout")
async def check_out(request: Request, services: Use, caller: AnyCaller, sent: Sent) -> Response:
    """Go on to the checkout with the quantities as typed; where one cannot be had, stay and say so."""
    cart, outcome = await _apply(services, caller, sent)
    if outcome.faults:
        return _page(request, caller, cart, outcome, sent)
    return RedirectResponse("/checkout", 303)


async def _apply(
    services: Services, caller: Caller, sent: FormData, removed: str | None = None
) -> tuple[Cart, Changes]:
    """Change the cart as the form asks; return how it stands then, and what was changed and what not.

    All commands are sent before any is waited for: two forms of one cart then never mix their orders.
    """
    cart = await services.carts.read(caller.cart_id)
    asked = changes(cart, _wishes(sent))
    if removed is not None and any(item.line_id == removed for item in cart.items):
        asked.quantities[removed] = 0
        asked.faults.pop(removed, None)
    if not asked.quantities or caller.cart_id is None:
        return cart, asked
    answers = await asyncio.gather(
        *(
            _command(services, caller, caller.cart_id, line_id, quantity)
            for line_id, quantity in asked.quantities.items()
        ),
        return_exceptions=True,
    )
    items = {item.line_id: item for item in cart.items}
    newest = None
    for line_id, answer in zip(tuple(asked.quantities), answers, strict=True):
        if isinstance(answer, Problem) and answer.status < _SERVER_FAULT and answer.status != _TOO_MANY:
            del asked.quantities[line_id]
            asked.faults[line_id] = fault(answer, items[line_id])
        elif isinstance(answer, BaseException):
            raise answer
        elif answer.cart and (newest is None or answer.cart.version > newest.version):
            newest = answer.cart
    said = told(cart, asked.quantities)
    after = newest or await services.carts.read(caller.cart_id)
    return after, Changes(asked.quantities, asked.faults, said)


async def _command(
    services: Services, caller: Caller, cart_id: str, line_id: str, quantity: int
) -> CartResult:
    if quantity:
        return await services.carts.change(cart_id, caller.user_id, line_id, quantity, wait=WAIT_SECONDS)
    return await services.carts.remove(cart_id, caller.user_id, line_id, wait=WAIT_SECONDS)


def _wishes(sent: FormData) -> list[Wish]:
    columns = [[str(each) for each in sent.getlist(name)] for name in ("line_id", "shown", "quantity")]
    if len({len(column) for column in columns}) != 1:
        raise Problem(422, "the form is not whole: each line has an id, a quantity and what was shown")
    return [Wish(*line) for line in zip(*columns, strict=True)]


def _page(
    request: Request, caller: Caller, cart: Cart, outcome: Changes, sent: FormData | None = None
) -> Response:
    wishes = _wishes(sent) if sent is not None else []
    values: dict[str, Any] = {
        "cart": cart,
        "pieces": cart.pieces,
        "faults": outcome.faults,
        "typed": {wish.line_id: wish.typed for wish in wishes if wish.line_id in outcome.faults},
        "said": outcome.said,
    }
    if wants_fragment(request):
        return page(request, "_cart.html", caller, told=sent is not None, **values)
    return page(request, "cart.html", caller, 422 if outcome.faults else 200, **values)
