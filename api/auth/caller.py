"""Who is calling: a user by token, a guest by the secret of a cart, or nobody yet."""

from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.auth.cookies import CART_COOKIE, TOKEN_COOKIE, cookies_of
from api.auth.guests import GuestCarts, is_guest_secret
from api.auth.streams import remember
from api.auth.tokens import Bearer, Role, User, unauthorized
from api.problems import FieldError, Problem
from schemas.envelope import derived_id

CART_HEADER = "X-Cart-Id"

_BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="Access token from `POST /login`.")
_OVER_TLS = "Over TLS its name begins with `__Host-`."
_TOKEN_COOKIE = APIKeyCookie(
    name=TOKEN_COOKIE, auto_error=False, scheme_name="token cookie", description=_OVER_TLS
)
_CART_HEADER = APIKeyHeader(
    name=CART_HEADER,
    auto_error=False,
    scheme_name="guest cart",
    description="A guest's cart id: a random UUID, known to nobody else.",
)
_CART_COOKIE = APIKeyCookie(
    name=CART_COOKIE, auto_error=False, scheme_name="guest cart cookie", description=_OVER_TLS
)

OPTIONAL: dict[str, Any] = {"security": [{}]}
"""For a route's `openapi_extra`: a caller may, but need not, identify itself."""


def cart_of_user(user_id: str) -> str:
    """Return the id of a user's one cart."""
    return derived_id("cart", user_id)


@dataclass(frozen=True)
class Caller:
    """Who is calling. A guest is known by `guest_cart` alone, which `guest_secret` has proved.

    `bearer` is the user with its session.
    """

    user: User | None = None
    guest_cart: str | None = None
    bearer: Bearer | None = None
    guest_secret: str | None = field(default=None, repr=False)

    @property
    def user_id(self) -> str | None:
        """The user's id, None for guests."""
        return self.user.user_id if self.user else None

    @property
    def staff(self) -> bool:
        """Whether the caller works here."""
        return self.user is not None and self.user.role is Role.STAFF

    @property
    def cart_id(self) -> str | None:
        """The caller's cart: the user's own, else the guest's."""
        return cart_of_user(self.user.user_id) if self.user else self.guest_cart

    @property
    def cart_name(self) -> str | None:
        """What the caller itself knows the cart by: a guest's is the secret."""
        return self.cart_id if self.user else self.guest_secret

    @property
    def owner(self) -> str | None:
        """The name under which commands and answers are kept for this caller."""
        if self.user:
            return f"user:{self.user.user_id}"
        return f"cart:{self.guest_cart}" if self.guest_cart else None


def guest(carts: GuestCarts, secret: str | None, bearer: Bearer | None = None) -> Caller:
    """Return the caller who has a guest's secret, or none, and may have logged in besides."""
    user = None if bearer is None else bearer.user
    return Caller(user, None if secret is None else carts.cart_of(secret), bearer, secret)


def _guest_secret(request: Request) -> str | None:
    """Return the guest's secret; a cookie that cannot be one is none, a header is refused (401)."""
    cookie = cookies_of(request).cart(request)
    given = request.headers.get(CART_HEADER)
    if not given:
        return str(UUID(cookie)) if cookie and is_guest_secret(cookie) else None
    if not is_guest_secret(given):
        fault = FieldError(field=CART_HEADER, rule="random_uuid", message="must be a random UUID (version 4)")
        raise unauthorized(f"{CART_HEADER}: {fault.message}", errors=[fault])
    return str(UUID(given))


def caller_of(request: Request) -> Caller:
    """Return who is calling.

    Raises Problems: 401 for a token or a cart id that cannot be one, and for a session that has ended; 503
    where it is not known which sessions have.
    """
    authorization = request.headers.get("Authorization")
    token = cookies_of(request).token(request)
    if authorization:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise unauthorized("the Authorization header must be 'Bearer <token>'", "invalid_request")
    services = request.app.state.services
    secret = _guest_secret(request)
    if not token:
        return guest(services.guest_carts, secret)
    bearer: Bearer = services.tokens.read(token.strip())
    remember(request.scope, bearer.session)
    return guest(services.guest_carts, secret, bearer)


async def identify_user(
    request: Request,
    _bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    _token_cookie: Annotated[str | None, Security(_TOKEN_COOKIE)],
) -> Caller:
    """Return who is calling, where only a user will do."""
    return caller_of(request)


async def identify(
    request: Request,
    _bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    _token_cookie: Annotated[str | None, Security(_TOKEN_COOKIE)],
    _cart_header: Annotated[str | None, Security(_CART_HEADER)],
    _cart_cookie: Annotated[str | None, Security(_CART_COOKIE)],
) -> Caller:
    """Return who is calling; the parameters say in OpenAPI how a caller may identify itself."""
    return caller_of(request)


AnyCaller = Annotated[Caller, Depends(identify)]


async def require_known(caller: AnyCaller) -> Caller:
    """Return the caller, who must be a user or a guest with a cart; raises a 401 Problem."""
    if caller.owner is None:
        raise unauthorized(f"an access token, or a guest's {CART_HEADER}, is needed")
    return caller


async def require_bearer(caller: Annotated[Caller, Depends(identify_user)]) -> Bearer:
    """Return the user with its session; raises a 401 Problem where nobody is logged in."""
    if caller.bearer is None:
        raise unauthorized("an access token is needed")
    return caller.bearer


async def require_staff(caller: Annotated[Caller, Depends(identify_user)]) -> Caller:
    """Return the caller, who must be staff; raises Problems: 401 without a token, 403 for others."""
    if caller.user is None:
        raise unauthorized("an access token is needed")
    if not caller.staff:
        raise Problem(403, "this needs a staff account")
    return caller


KnownCaller = Annotated[Caller, Depends(require_known)]
LoggedInUser = Annotated[Bearer, Depends(require_bearer)]
StaffCaller = Annotated[Caller, Depends(require_staff)]
