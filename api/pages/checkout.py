"""Buying the cart: a form, then the order's own page, which shows the outcome as it comes."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import RedirectResponse, Response

from api.auth.caller import AnyCaller, Caller
from api.orders.models import Card, CheckoutRequest, DeliveryAddress
from api.orders.surprises import SURPRISES
from api.pages.quantities import shortages
from api.pages.rendering import money, page
from api.pages.route import PageRoute
from api.problems import Problem
from api.services import Services, Use

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


class CheckoutForm(BaseModel):
    """The form as it was sent: everything is text, judged by the same models as the JSON API's."""

    idempotency_key: str = Field(min_length=8, max_length=100)
    cart_version: int = Field(ge=0)
    total: int = Field(ge=0)
    email: str = Field(default="", max_length=300)
    name: str = Field(default="", max_length=300)
    line1: str = Field(default="", max_length=300)
    city: str = Field(default="", max_length=300)
    postcode: str = Field(default="", max_length=300)
    country: str = Field(default="", max_length=300)
    card_number: str = Field(default="", max_length=40, repr=False)
    expiry: str = Field(default="", max_length=10, repr=False)
    cvc: str = Field(default="", max_length=10, repr=False)


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
    try:
        wanted = _request(sent)
    except ValidationError as error:
        errors = {str(each["loc"][-1]): each["msg"] for each in error.errors()}
        return await _form(request, services, caller, sent.idempotency_key, _kept(sent), errors)
    try:
        result = await services.checkout.buy(caller, sent.idempotency_key, wanted, WAIT_SECONDS)
    except Problem as problem:
        if problem.extra.get("reason") in SURPRISES:
            # Another attempt is another order: the refused one keeps its key.
            return await _form(
                request, services, caller, str(uuid4()), _kept(sent), message=_difference(problem)
            )
        if known := problem.extra.get("order_id"):
            return RedirectResponse(f"/orders/{known}", 303)
        return await _form(
            request, services, caller, sent.idempotency_key, _kept(sent), message=problem.detail
        )
    return RedirectResponse(f"/orders/{result.order_id}", 303)


def _difference(problem: Problem) -> str:
    old, new = (money(problem.extra[name], problem.extra["currency"]) for name in ("old_total", "new_total"))
    changed = f"The total was {old} and is {new} now." if old != new else "Your cart has changed meanwhile."
    return f"{changed} Nothing was charged: please look at it, and buy if it suits you."


def _request(sent: CheckoutForm) -> CheckoutRequest:
    card = Card(card_number=sent.card_number.strip(), expiry=sent.expiry.strip(), cvc=sent.cvc.strip())
    address = DeliveryAddress(
        name=sent.name, line1=sent.line1, city=sent.city, postcode=sent.postcode, country=sent.country
    )
    return CheckoutRequest(
        cart_version=sent.cart_version, total=sent.total, payment=card, address=address, email=sent.email
    )


def _kept(sent: CheckoutForm) -> dict[str, Any]:
    """Return what may be shown again: never the card."""
    return {name: value for name, value in sent.model_dump().items() if name not in _CARD_FIELDS}


async def _form(
    request: Request,
    services: Services,
    caller: Caller,
    idempotency_key: str,
    form: dict[str, Any],
    errors: dict[str, str] | None = None,
    message: str | None = None,
) -> Response:
    cart = await services.carts.read(caller.cart_id)
    return page(
        request,
        "checkout.html",
        caller,
        422 if errors or message else 200,
        cart=cart,
        pieces=cart.pieces,
        short=shortages(cart),
        idempotency_key=idempotency_key,
        form=form,
        errors=errors or {},
        message=message,
        test_cards=TEST_CARDS if services.settings.payment_provider is None else (),
    )
