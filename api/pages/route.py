"""What all page routes share: errors become pages, and forms must come from the shop's own pages."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse, Response

from api import context
from api.auth.caller import Caller
from api.auth.cookies import cookies_of
from api.pages.plain import words
from api.pages.rendering import page, wants_fragment
from api.problems import Problem, of_validation
from api.same_origin import CROSS_ORIGIN

UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
_CROSS_ORIGIN = "This came from another page"
_TITLES = {
    FORBIDDEN: "This page is for staff",
    NOT_FOUND: "There is nothing here",
    429: "Too many attempts",
    503: "One moment, please",
}


class PageRoute(APIRoute):
    """A route whose errors are shown to people; those without a valid session are sent to log in.

    What it shows is some person's, and kept by no cache, a browser's own either: Back after a log-out shows
    nothing of it.
    """

    caching = "no-store"

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        serve = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                answer = await serve(request)
            except Problem as problem:
                return shown(request, problem)
            except RequestValidationError as error:
                return shown(request, of_validation(error))
            answer.headers.setdefault("Cache-Control", self.caching)
            return answer

        return handler


class ShopWindowRoute(PageRoute):
    """A route of pages that anybody may see: a browser may keep one, and asks before it shows it again."""

    caching = "private, no-cache"


def _way_back(request: Request) -> str:
    """Return the page that somebody is on, or wants, for after the log-in."""
    if wants_fragment(request):
        here = request.headers.get("HX-Current-URL", "")
    elif request.method == "GET":
        here = str(request.url)
    else:
        return "/"
    try:
        url = urlsplit(here)
    except ValueError:
        return "/"
    return (f"{url.path}?{url.query}" if url.query else url.path) or "/"


def shown(request: Request, problem: Problem) -> Response:
    """Return a problem as a page, as a toast where htmx asks, or as the way to log in."""
    if problem.status == UNAUTHORIZED:
        login = f"/login?next={quote(_way_back(request), safe='')}"
        # Into a part of a page, a redirect would put the login.
        answer: Response = (
            Response(headers={"HX-Redirect": login})
            if wants_fragment(request)
            else RedirectResponse(login, 303)
        )
        answer.headers["Cache-Control"] = "no-store"
        cookies_of(request).forget_token(answer)
        return answer
    if wants_fragment(request):
        # htmx swaps successful answers only; what was refused is shown as a toast.
        shown = page(request, "_refused.html", Caller(), message=words(problem))
        shown.headers["HX-Retarget"], shown.headers["HX-Reswap"] = "#toast", "innerHTML"
        shown.headers["Cache-Control"] = "no-store"
        return shown
    title = _TITLES.get(problem.status, "That did not work")
    answer = page(
        request,
        "message.html",
        Caller(),
        problem.status,
        title=_CROSS_ORIGIN if problem.kind == CROSS_ORIGIN else title,
        detail=words(problem),
        correlation_id=context.correlation_id.get(),
    )
    answer.headers.update({**problem.headers, "Cache-Control": "no-store"})
    return answer
