"""Changes come from the shop's own pages or from programs, never from another site's page.

A browser sends its cookies along with what other sites make it send. So every unsafe method, of every route
and with a body or without, is refused where the browser says that another origin caused it.
"""

from collections.abc import Collection
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import Problem, render

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
CROSS_ORIGIN = "cross-origin"
_OWN = frozenset({"same-origin", "none"})


def same_origin(request: Request, allowed: Collection[str] = ()) -> bool:
    """Whether a request was sent by the shop's own pages, by an allowed origin, or by no browser.

    Browsers state it in `Sec-Fetch-Site`, and over plain HTTP or where they are older in `Origin` alone; a
    client that states neither is no browser, so nobody's cookies are abused. Another host of the same site is
    another origin.
    """
    origin = request.headers.get("Origin")
    if origin is not None and origin in allowed:
        return True
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in _OWN:
        return False
    if origin is None:
        return True
    # Compared as a text: what is no URL at all is another's origin.
    _, separator, host = origin.partition("://")
    return bool(separator) and host == request.headers.get("Host")


def _explicit(request: Request) -> bool:
    """Whether the caller names itself by a token that no browser adds by itself, or for another site."""
    return request.headers.get("Authorization", "").lower().startswith("bearer ")


class SameOriginOnly:
    """Refuse changes that another origin caused (403); `allowed` origins may, as CORS lets them."""

    def __init__(self, app: ASGIApp, allowed: Collection[str] = ()) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            request = Request(scope)
            if not (_explicit(request) or same_origin(request, self._allowed)):
                problem = Problem(
                    HTTPStatus.FORBIDDEN, "this was not sent by the shop's own page", kind=CROSS_ORIGIN
                )
                await render(problem, scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)
