"""Registering, logging in and out, changing a password, and the public key."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api import wording
from api.auth.address import Email
from api.auth.caller import LoggedInUser
from api.auth.cookies import clear_browser, cookies_of
from api.auth.password_rules import LONGEST
from api.auth.service import LoggedIn
from api.auth.tokens import Role
from api.client_address import client_of
from api.prefer import Wait, applied
from api.problems import problems
from api.services import Use

router = APIRouter(tags=["accounts"])
well_known = APIRouter(tags=["accounts"])

_EXAMPLE: JsonDict = {"email": "ada@example.com", "password": "correct horse battery"}
# Longer texts are refused before they are hashed; the password rules name their own bounds.
Password = Annotated[str, Field(min_length=1, max_length=LONGEST * 2)]


class Registration(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    email: Email
    password: Password = Field(description="10 to 128 characters, not a common one.")


class Credentials(BaseModel):
    """An account's email and password, and the guest's cart that it takes over."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{**_EXAMPLE, "cart_id": "3f0c3d4e-0f3c-4b8e-9d0a-6a1f6b8f7c21"}]},
    )

    email: Email
    password: Password
    cart_id: str | None = Field(
        default=None, pattern=wording.GUEST_CART, description="A guest's cart, to be merged into the user's."
    )


class PasswordChange(BaseModel):
    """The account's password, and the one that it shall have from now on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"password": "correct horse battery", "new_password": "a better staple"}]
        },
    )

    password: Password
    new_password: Password = Field(description="10 to 128 characters, not a common one.")


class RegisteredUser(BaseModel):
    """A user's public facts."""

    user_id: str
    email: str
    role: Role


class AccessToken(BaseModel):
    """A token for the `Authorization: Bearer` header."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 (RFC 6750's name of the scheme)
    expires_in: int = Field(description="Lifetime, in seconds.")
    user: RegisteredUser
    merge_command_id: str | None = Field(default=None, description="The command that merges the cart.")


@router.post("/register", status_code=201, operation_id="register", responses=problems(409, 415, 429))
async def register(body: Registration, request: Request, services: Use) -> RegisteredUser:
    """Create a customer's account."""
    user = await services.accounts.register(body.email, body.password, client_of(request.scope))
    return RegisteredUser(user_id=user.user_id, email=user.email, role=user.role)


@router.post("/login", operation_id="login", responses=problems(401, 415, 429, 503))
async def login(
    body: Credentials, request: Request, response: Response, services: Use, wait: Wait
) -> AccessToken:
    """Exchange email and password for an access token; a guest's cart is merged into the user's."""
    guest_cart = None if body.cart_id is None else services.guest_carts.cart_of(body.cart_id)
    logged_in = await services.accounts.login(
        body.email, body.password, client_of(request.scope), guest_cart, wait
    )
    if body.cart_id is not None:
        response.headers.update(applied(wait))
    return _token(logged_in)


@router.post(
    "/logout",
    status_code=204,
    operation_id="logout",
    responses={204: {"description": "The session has ended."}, **problems(401, 403, 503)},
)
async def logout(bearer: LoggedInUser, request: Request, response: Response, services: Use) -> None:
    """End the session of this token: within a second, no process takes it any more."""
    await services.accounts.logout(bearer.session)
    clear_browser(cookies_of(request), response)


@router.post(
    "/logout-everywhere",
    status_code=204,
    operation_id="logoutEverywhere",
    responses={204: {"description": "All sessions have ended."}, **problems(401, 403, 503)},
)
async def logout_everywhere(
    bearer: LoggedInUser, request: Request, response: Response, services: Use
) -> None:
    """End every session of the user, this one too."""
    await services.accounts.logout_everywhere(bearer.user)
    clear_browser(cookies_of(request), response)


@router.post("/password", operation_id="changePassword", responses=problems(401, 403, 409, 415, 429, 503))
async def change_password(
    body: PasswordChange, bearer: LoggedInUser, request: Request, response: Response, services: Use
) -> AccessToken:
    """Change the password. Every session of the user ends; the answer has the token of a new one."""
    client = client_of(request.scope)
    logged_in = await services.accounts.change_password(bearer, body.password, body.new_password, client)
    cookies = cookies_of(request)
    if cookies.token(request) is not None:
        cookies.set_token(response, logged_in.token, logged_in.seconds)
    return _token(logged_in)


def _token(logged_in: LoggedIn) -> AccessToken:
    user = logged_in.user
    return AccessToken(
        access_token=logged_in.token,
        expires_in=logged_in.seconds,
        user=RegisteredUser(user_id=user.user_id, email=user.email, role=user.role),
        merge_command_id=logged_in.merge_command_id,
    )


@well_known.get("/.well-known/jwks.json", operation_id="publicKeys")
async def jwks(services: Use) -> dict[str, list[dict[str, Any]]]:
    """Return the public key of the access tokens, as a JSON Web Key Set."""
    return services.signing_key.jwks()
