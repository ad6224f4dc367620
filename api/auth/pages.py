"""Logging in and out, and one's account. The session is the access token, in a cookie hidden from scripts."""

from typing import Annotated, TypeVar

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, ValidationError
from starlette.responses import RedirectResponse, Response

from api.auth.caller import AnyCaller, Caller, LoggedInUser, caller_of
from api.auth.cookies import clear_browser, cookies_of
from api.auth.routes import Credentials, PasswordChange, Registration
from api.auth.service import LoggedIn
from api.client_address import client_of
from api.pages.rendering import page
from api.pages.route import PageRoute
from api.problems import Problem, unavailable
from api.services import Services, Use

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MERGE_SECONDS = 5.0
# What is longer is refused before it is looked at; how long a field may be is said by the API's models.
Text = Annotated[str, Form(max_length=2000)]
OnFrom = Annotated[str, Query(alias="next", max_length=500)]
On = Annotated[str, Form(alias="next", max_length=500)]
_Model = TypeVar("_Model", bound=BaseModel)
_FIELDS = {"email": "Email", "password": "Password", "new_password": "New password"}
_UNAUTHORIZED = 401


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
        for_orders=on.startswith("/orders"),
        **values,
    )


def _checked(model: type[_Model], **values: str) -> _Model:
    """Return what the API's own model makes of a form; raises a Problem in a shopper's words."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = {str(each["loc"][0]): each for each in error.errors()}
        told = " ".join(
            f"{_FIELDS[field]} is needed."
            if not values[field].strip()
            else _sentence(field, fault["type"], fault["msg"])
            for field, fault in faults.items()
        )
        raise Problem(422, told) from error


def _sentence(field: str, rule: str, message: str) -> str:
    if field == "email" and rule == "email":
        return f"This is no email address: {message[0].lower()}{message[1:]}"
    if rule == "string_too_long":
        return f"{_FIELDS[field]} is too long."
    return f"{_FIELDS[field]} cannot be read."


def _told(problem: Problem) -> str:
    """Return a refusal in words that name fields as the form does."""
    for name, shown in _FIELDS.items():
        if problem.detail.startswith(f"{name}: "):
            return f"{shown} {problem.detail.removeprefix(f'{name}: ')}."
    return f"{problem.detail[0].upper()}{problem.detail[1:]}."


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
    email: Text = "",
    password: Text = "",
    on: On = "/",
) -> Response:
    """Begin a session; the guest's cart goes with the shopper."""
    try:
        given = _checked(Credentials, email=email, password=password)
        logged_in = await _log_in(request, services, caller, given.email, given.password)
    except Problem as problem:
        return _form(request, caller, on, registering=False, message=_told(problem), email=email)
    return _begun(request, logged_in, _local(on))


@router.post("/register")
async def register(
    request: Request,
    services: Use,
    caller: AnyCaller,
    email: Text = "",
    password: Text = "",
    on: On = "/",
) -> Response:
    """Create an account and begin its first session."""
    try:
        given = _checked(Registration, email=email, password=password)
        await services.accounts.register(given.email, given.password, client_of(request.scope))
        logged_in = await _log_in(request, services, caller, given.email, given.password)
    except Problem as problem:
        return _form(request, caller, on, registering=True, message=_told(problem), email=email)
    return _begun(request, logged_in, _local(on))


@router.post("/logout")
async def logout(request: Request, services: Use) -> Response:
    """End the session; where that cannot be done now, the browser forgets it all the same."""
    answer: Response = RedirectResponse("/", 303)
    try:
        caller = caller_of(request)
        if caller.bearer is not None:
            await services.accounts.logout(caller.bearer.session)
    except Problem as problem:
        if problem.status != _UNAUTHORIZED:
            answer = _only_here(request)
    clear_browser(cookies_of(request), answer)
    return answer


@router.get("/account")
async def account(request: Request, caller: AnyCaller, user: LoggedInUser) -> Response:
    """Show the account: how to change its password and to end its sessions."""
    return page(request, "account.html", caller, email=user.user.email)


@router.post("/account/password")
async def change_password(
    request: Request,
    services: Use,
    caller: AnyCaller,
    user: LoggedInUser,
    password: Text = "",
    new_password: Text = "",
) -> Response:
    """Set a new password: other sessions end, and this browser goes on in a new one."""
    try:
        given = _checked(PasswordChange, password=password, new_password=new_password)
        logged_in = await services.accounts.change_password(
            user, given.password, given.new_password, client_of(request.scope)
        )
    except Problem as problem:
        if problem.status == _UNAUTHORIZED:
            raise
        told = _told(problem)
        return page(request, "account.html", caller, problem.status, email=user.user.email, message=told)
    answer = page(request, "account.html", caller, email=user.user.email, changed=True)
    cookies_of(request).set_token(answer, logged_in.token, logged_in.seconds)
    return answer


@router.post("/account/logout-everywhere")
async def logout_everywhere(request: Request, services: Use, user: LoggedInUser) -> Response:
    """End every session of the account."""
    await services.accounts.logout_everywhere(user.user)
    answer = RedirectResponse("/login", 303)
    clear_browser(cookies_of(request), answer)
    return answer


def _only_here(request: Request) -> Response:
    problem = unavailable("ending the session")
    return page(
        request,
        "message.html",
        Caller(),
        problem.status,
        title="You are logged out in this browser",
        detail="Elsewhere the session could not be ended right now; it ends by itself within the hour.",
        correlation_id=None,
    )


async def _log_in(
    request: Request, services: Services, caller: Caller, email: str, password: str
) -> LoggedIn:
    client = client_of(request.scope)
    return await services.accounts.login(email, password, client, caller.guest_cart, MERGE_SECONDS)


def _begun(request: Request, logged_in: LoggedIn, path: str) -> Response:
    answer = RedirectResponse(path, 303)
    cookies = cookies_of(request)
    cookies.set_token(answer, logged_in.token, logged_in.seconds)
    cookies.forget_cart(answer)
    return answer
