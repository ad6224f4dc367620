"""Buying the cart: a form, then the order's own page, which shows the outcome as it comes."""

import asyncio
from typing import Annotated, Any
from uuid import uuid4

import msgspec
from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import RedirectResponse, Response

from api.auth.caller import AnyCaller, Caller
from api.cart.models import Cart
from api.cart.quantities import shortages
from api.checkout import places
from api.checkout.models import CheckoutRequest
from api.checkout.surprises import SURPRISES
from api.pages import faults
from api.pages.rendering import page, wants_fragment
from api.pages.route import PageRoute
from api.problems import Problem
from api.services import Services, Use
from schemas.cart import CartStatus
from schemas.refusal import Refusal

router = APIRouter(route_class=PageRoute, include_in_schema=False)

# Cards of the simulated provider; a real one has its own.
TEST_CARDS = (
    ("4242 4242 4242 4242", "approved"),
    ("4000 0000 0000 0002", "declined"),
    ("4000 0000 0000 9995", "insufficient funds"),
)
# An order is mostly known by then; of a slower one, its own page tells every step.
WAIT_SECONDS = 2.0
_CARD_FIELDS = ("card_number", "expiry", "cvc")
_ADDRESS_FIELDS = ("name", "line1", "city", "postcode", "country")
_AT_HOME = "GB"
# A refused order gives the cart back a moment after it says so.
_THAW_LOOKS, _THAW_PAUSE_SECONDS = 30, 0.05
_LONG, _LONGEST = 1000, 1024 * 1024
_UNPROCESSABLE = 422


class ShownLine(msgspec.Struct):
    """A line as the form showed it; the name serves to tell it where it is gone."""

    line_id: str
    name: str
    quantity: int
    unit_price: int | None


class CheckoutForm(BaseModel):
    """The form as it was sent: everything is text, judged by the same models as the JSON API's."""

    idempotency_key: str = Field(min_length=8, max_length=100)
    cart_version: int = Field(ge=0)
    total: int = Field(ge=0)
    lines: str = Field(default="[]", max_length=_LONGEST)
    email: str = Field(default="", max_length=_LONG)
    name: str = Field(default="", max_length=_LONG)
    line1: str = Field(default="", max_length=_LONG)
    city: str = Field(default="", max_length=_LONG)
    postcode: str = Field(default="", max_length=_LONG)
    country: str = Field(default="", max_length=_LONG)
    card_number: str = Field(default="", max_length=_LONG, repr=False)
    expiry: str = Field(default="", max_length=_LONG, repr=False)
    cvc: str = Field(default="", max_length=_LONG, repr=False)


@router.get("/checkout")
async def form(request: Request, services: Use, caller: AnyCaller) -> Response:
    """Show the form."""
    shown = {"email": caller.user.email} if caller.user else {}
    return await _form(request, services, caller, str(uuid4()), shown)


@router.post("/checkout")
async def buy(
    request: Request, services: Use, caller: AnyCaller, sent: Annotated[CheckoutForm, Form()]
) -> Response:
    """Send the order on its way, and go to its page; sending the form twice buys once.

    What would be charged otherwise than shown is not: the form comes again, with what holds now.
    """
    shown = _shown(sent.lines)
    try:
        wanted = _request(sent, shown)
    except ValidationError as error:
        found = faults.of_model(error.errors())
        return await _form(request, services, caller, sent.idempotency_key, _kept(sent), errors=found)
    key = await services.checkout.attempt(caller, sent.idempotency_key)
    try:
        result = await services.checkout.buy(caller, key, wanted, WAIT_SECONDS)
    except Problem as problem:
        if problem.extra.get("reason") in SURPRISES:
            # Another attempt is another order: the refused one keeps its key.
            difference = _difference(problem, shown)
            return await _form(request, services, caller, str(uuid4()), _kept(sent), difference=difference)
        if known := problem.extra.get("order_id"):
            return _gone(request, f"/orders/{known}")
        if problem.status == _UNPROCESSABLE and problem.errors:
            found = faults.of_problem(problem.errors)
            return await _form(request, services, caller, key, _kept(sent), errors=found)
        return await _form(request, services, caller, key, _kept(sent), message=_message(problem))
    return _gone(request, f"/orders/{result.order_id}")


def _request(sent: CheckoutForm, shown: list[ShownLine]) -> CheckoutRequest:
    fields = sent.model_dump()
    return CheckoutRequest.model_validate(
        {
            "cart_version": sent.cart_version,
            "total": sent.total,
            "lines": [
                {"line_id": each.line_id, "quantity": each.quantity, "unit_price": each.unit_price}
                for each in shown
            ],
            "payment": {name: fields[name] for name in _CARD_FIELDS},
            "address": {name: fields[name] for name in _ADDRESS_FIELDS},
            "email": sent.email.strip(),
        }
    )


def _shown(lines: str) -> list[ShownLine]:
    try:
        return msgspec.json.decode(lines, type=list[ShownLine])
    except msgspec.DecodeError as error:
        raise Problem(_UNPROCESSABLE, "the form is not whole: its lines cannot be read") from error


def _difference(problem: Problem, shown: list[ShownLine]) -> dict[str, Any]:
    """Return what was shown and what holds now, for the page to tell side by side."""
    names = {each.line_id: each.name for each in shown}
    lines = [
        {**line, "name": line["name"] or names.get(line["line_id"]) or line["line_id"]}
        for line in problem.extra.get("lines") or []
    ]
    return {**problem.extra, "lines": lines}


def _message(problem: Problem) -> str:
    if problem.extra.get("reason") == Refusal.EMPTY_CART:
        return "There is nothing in your cart any more."
    return f"That did not work: {problem.detail}. Nothing was charged."


def _kept(sent: CheckoutForm) -> dict[str, Any]:
    """Return what may be shown again: never the card."""
    return {name: value for name, value in sent.model_dump().items() if name not in _CARD_FIELDS}


def _gone(request: Request, path: str) -> Response:
    if wants_fragment(request):
        return Response(headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


async def _cart(services: Services, caller: Caller, *, thawed: bool) -> Cart:
    cart = await services.carts.read(caller.cart_id)
    for _ in range(_THAW_LOOKS if thawed else 0):
        if cart.status is not CartStatus.FROZEN:
            break
        await asyncio.sleep(_THAW_PAUSE_SECONDS)
        cart = await services.carts.read(caller.cart_id)
    return cart


async def _form(
    request: Request,
    services: Services,
    caller: Caller,
    idempotency_key: str,
    form: dict[str, Any],
    *,
    errors: dict[str, str] | None = None,
    difference: dict[str, Any] | None = None,
    message: str | None = None,
) -> Response:
    cart = await _cart(services, caller, thawed=difference is not None)
    lines = [
        ShownLine(item.line_id, item.name or item.sku, item.quantity, item.unit_price) for item in cart.items
    ]
    fragment = wants_fragment(request)
    status = 409 if difference else _UNPROCESSABLE if errors or message else 200
    return page(
        request,
        "_checkout.html" if fragment else "checkout.html",
        caller,
        # htmx puts only successful answers into the page.
        200 if fragment else status,
        cart=cart,
        pieces=cart.pieces,
        short=shortages(cart),
        lines=msgspec.json.encode(lines).decode(),
        idempotency_key=idempotency_key,
        form=form,
        countries=places.countries(),
        chosen=places.code_of(form.get("country", "")) or _AT_HOME,
        errors=errors or {},
        difference=difference,
        message=message,
        test_cards=TEST_CARDS if services.settings.payment_provider is None else (),
    )
