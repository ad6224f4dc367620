"""What all page routes share: errors become pages, and forms must come from the shop's own pages."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse, Response

from api import context
from api.auth.caller import TOKEN_COOKIE, Caller
from api.pages.rendering import page, wants_fragment
from api.problems import Problem, of_validation

UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
_TITLES = {
    FORBIDDEN: "This page is for staff",
    NOT_FOUND: "There is nothing here",
    429: "Too many attempts",
    503: "One moment, please",
}


def same_origin(request: Request) -> bool:
    """Whether a form was sent by the shop's own pages.

    Browsers state it in `Sec-Fetch-Site`, older ones in `Origin`; a client that states neither is no
    browser, so nobody's cookies are abused.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("Host")


class PageRoute(APIRoute):
    """A route whose errors are shown to people; those without a valid session are sent to log in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        serve = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if request.method == "POST" and not same_origin(request):
                return shown(request, Problem(FORBIDDEN, "this form was not sent by the shop's own page"))
            try:
                return await serve(request)
            except Problem as problem:
                return shown(request, problem)
            except RequestValidationError as error:
                return shown(request, of_validation(error))

        return handler


def shown(request: Request, problem: Problem) -> Response:
    """Return a problem as a page, as a toast where htmx asks, or as the way to log in."""
    if problem.status == UNAUTHORIZED:
        back = quote(request.url.path if request.method == "GET" else "/", safe="")
        answer: Response = RedirectResponse(f"/login?next={back}", 303)
        answer.delete_cookie(TOKEN_COOKIE)
        return answer
    if wants_fragment(request):
        # htmx swaps successful answers only; what was refused is shown as a toast.
        shown = page(request, "_refused.html", Caller(), message=problem.detail)
        shown.headers["HX-Retarget"], shown.headers["HX-Reswap"] = "#toast", "innerHTML"
        return shown
    return page(
        request,
        "message.html",
        Caller(),
        problem.status,
        title=_TITLES.get(problem.status, "That did not work"),
        detail=problem.detail,
        correlation_id=context.correlation_id.get(),
    )
