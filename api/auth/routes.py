"""POST /register, POST /login, and the public key."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, EmailStr, Field
from pydantic.config import JsonDict

from api.auth.passwords import LONGEST
from api.auth.tokens import Role
from api.client_address import client_of
from api.prefer import Wait, applied
from api.problems import problems
from api.services import Use

router = APIRouter(tags=["accounts"])
well_known = APIRouter(tags=["accounts"])

_EXAMPLE: JsonDict = {"email": "ada@example.com", "password": "correct horse battery"}
# A random UUID (version 4), as the API gives them to guests.
_GUEST_CART = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
# Longer texts are refused before they are hashed; the password rules name their own bounds.
Password = Annotated[str, Field(min_length=1, max_length=LONGEST * 2)]
Email = Annotated[EmailStr, Field(max_length=254)]


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
        default=None, pattern=_GUEST_CART, description="A guest's cart, to be merged into the user's."
    )


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
    session = await services.accounts.login(
        body.email, body.password, client_of(request.scope), body.cart_id, wait
    )
    if body.cart_id is not None:
        response.headers.update(applied(wait))
    user = session.user
    return AccessToken(
        access_token=session.token,
        expires_in=session.seconds,
        user=RegisteredUser(user_id=user.user_id, email=user.email, role=user.role),
        merge_command_id=session.merge_command_id,
    )


@well_known.get("/.well-known/jwks.json", operation_id="publicKeys")
async def jwks(services: Use) -> dict[str, list[dict[str, Any]]]:
    """Return the public key of the access tokens, as a JSON Web Key Set."""
    return services.signing_key.jwks()
