"""Logging in and out, and new accounts. The session is the access token, in a cookie hidden from scripts."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import RedirectResponse, Response

from api.auth.caller import CART_COOKIE, TOKEN_COOKIE, AnyCaller, Caller
from api.auth.passwords import LONGEST
from api.auth.routes import Email
from api.auth.service import Session
from api.client_address import client_of
from api.pages.rendering import page
from api.pages.route import PageRoute
from api.problems import Problem
from api.services import Services, Use

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MERGE_SECONDS = 5.0
_EMAIL: TypeAdapter[str] = TypeAdapter(Email)
Text = Annotated[str, Form(max_length=LONGEST * 2)]
OnFrom = Annotated[str, Query(alias="next", max_length=500)]
On = Annotated[str, Form(alias="next", max_length=500)]


def _local(path: str) -> str:
    """Return the path to go on to: only one of the shop's own, never another host."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


def _form(request: Request, caller: Caller, on: str, *, registering: bool, **values: object) -> Response:
    status = 422 if values.get("message") else 200
    return page(
        request,
        "login.html",
        caller,
        status,
        registering=registering,
        next=_local(on),
        for_staff=on.startswith("/ops"),
        **values,
    )


@router.get("/login")
async def login_form(request: Request, caller: AnyCaller, on: OnFrom = "/") -> Response:
    """Show the form to log in."""
    return _form(request, Caller(None, caller.guest_cart), on, registering=False)


@router.get("/register")
async def registration_form(request: Request, caller: AnyCaller, on: OnFrom = "/") -> Response:
    """Show the form for a new account."""
    return _form(request, caller, on, registering=True)


@router.post("/login")
async def login(
    request: Request,
    services: Use,
    caller: AnyCaller,
    email: Text,
    password: Text,
    on: On = "/",
) -> Response:
    """Begin a session; the guest's cart goes with the shopper."""
    try:
        session = await _session(request, services, caller, email, password)
    except Problem as problem:
        return _form(request, caller, on, registering=False, message=problem.detail, email=email)
    return _begun(session, services, _local(on))


@router.post("/register")
async def register(
    request: Request, services: Use, caller: AnyCaller, email: Text, password: Text, on: On = "/"
) -> Response:
    """Create an account and begin its first session."""
    try:
        checked = _EMAIL.validate_python(email)
        await services.accounts.register(checked, password, client_of(request.scope))
        session = await _session(request, services, caller, checked, password)
    except ValidationError:
        message = "This is no email address."
        return _form(request, caller, on, registering=True, message=message, email=email)
    except Problem as problem:
        return _form(request, caller, on, registering=True, message=problem.detail, email=email)
    return _begun(session, services, _local(on))


@router.post("/logout")
async def logout() -> Response:
    """End the session."""
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(TOKEN_COOKIE)
    return answer


async def _session(
    request: Request, services: Services, caller: Caller, email: str, password: str
) -> Session:
    return await services.accounts.login(
        email, password, client_of(request.scope), caller.guest_cart, MERGE_SECONDS
    )


def _begun(session: Session, services: Services, path: str) -> Response:
    answer = RedirectResponse(path, 303)
    answer.set_cookie(
        TOKEN_COOKIE,
        session.token,
        max_age=session.seconds,
        httponly=True,
        samesite="lax",
        secure=services.options.secure_cookies,
    )
    answer.delete_cookie(CART_COOKIE)
    return answer
