"""Around every request: correlation, media type, security headers, the request log and metrics."""

import time
from functools import cache

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import context
from api.client_address import client_of
from api.logs import Seldom
from api.problems import API_PREFIX, Problem, crashed, render

_GONE = 499
"""In the log and the metrics: the client went before it was answered. The number is nginx's."""

_LOGGED_PATH = 250
# Of what is refused because there is too much of it, the log has a line per second and route (`of` how many).
_REFUSED = frozenset({413, 429, 431, 503})
_REFUSALS = Seldom(1.0)

_log = structlog.get_logger()

REQUESTS = Counter("api_requests_total", "Requests served.", ["method", "route", "status"])
SECONDS = Histogram(
    "api_request_seconds",
    "Time until the response began, in seconds.",
    ["method", "route"],
    buckets=(0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

# The pages load nothing from elsewhere; the JSON API needs nothing at all.
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_DOCS = ("/docs", "/redoc")
# The interactive API documentation starts itself by a script in its page.
_DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src blob:; frame-ancestors 'none'"
)


def _headers(**more: str) -> tuple[tuple[bytes, bytes], ...]:
    given = _SECURITY | {name.replace("_", "-"): value for name, value in more.items()}
    return tuple((name.lower().encode(), value.encode()) for name, value in given.items())


_CORRELATION = context.CORRELATION_HEADER.lower().encode()
_API_HEADERS = _headers(content_security_policy=_API_POLICY, cache_control="no-store")
_DOCS_HEADERS = _headers(content_security_policy=_DOCS_POLICY)
_PAGE_HEADERS = _headers(content_security_policy=_PAGE_POLICY)


@cache
def _metrics(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Return the two metrics of a kind of request: to find them by their labels costs more than to count."""
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(method, route)


class RequestContext:
    """Give each request its correlation id, and each response its headers, log line and metrics."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        correlation = context.accept_correlation_id(headers.get(context.CORRELATION_HEADER))
        context.correlation_id.set(correlation)
        context.client.set(client_of(scope))
        context.traceparent.set(context.accept_traceparent(headers.get("traceparent")))
        structlog.contextvars.bind_contextvars(correlation_id=correlation)
        began = time.perf_counter()
        status = 500
        took = 0.0

        async def send_with_headers(message: Message) -> None:
            nonlocal status, took
            if message["type"] == "http.response.start":
                status, took = message["status"], time.perf_counter() - began
                _decorate(message, scope["path"], correlation)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            # Who has gone in the midst of a request is no error of ours, and gets no answer.
            status = _GONE
        except Exception as error:  # noqa: BLE001 (whatever it is, it was not expected)
            response = crashed(scope["path"], error)
            if not took:
                await response(scope, receive, send_with_headers)
        finally:
            _account(scope, status, took or time.perf_counter() - began)
            structlog.contextvars.unbind_contextvars("correlation_id")


def _decorate(message: Message, path: str, correlation: str) -> None:
    """Give a response its headers; what the route itself has set stays."""
    if path.startswith(API_PREFIX):
        added = _API_HEADERS
    else:
        added = _DOCS_HEADERS if path.startswith(_DOCS) else _PAGE_HEADERS
    own = [header for header in message.get("headers", ()) if header[0] != _CORRELATION]
    names = {name for name, _ in own}
    message["headers"] = [
        *own,
        (_CORRELATION, correlation.encode()),
        *(header for header in added if header[0] not in names),
    ]


def _account(scope: Scope, status: int, seconds: float) -> None:
    route = scope.get("route")
    # Paths that match no route share one label: their number is the client's to choose.
    name = getattr(route, "path_format", None) or getattr(route, "path", None) or "unmatched"
    requests, lasting = _metrics(scope["method"], name, status)
    requests.inc()
    lasting.observe(seconds)
    told = _REFUSALS.tells((status, name)) if status in _REFUSED else 1
    if told:
        _log.info(
            "request",
            method=scope["method"],
            path=scope["path"][:_LOGGED_PATH],
            route=name,
            status=status,
            ms=round(seconds * 1000, 1),
            **({"of": told} if told > 1 else {}),
        )


class JsonOnly:
    """Refuse bodies of the JSON API that are not JSON (415)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and scope["path"].startswith(API_PREFIX) and _has_foreign_body(scope):
            problem = Problem(
                415, "the body must be application/json", headers={"Accept": "application/json"}
            )
            await render(problem, scope["path"])(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _has_foreign_body(scope: Scope) -> bool:
    if scope["method"] not in ("POST", "PUT", "PATCH"):
        return False
    headers = Headers(scope=scope)
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    media_type = headers.get("content-type", "").split(";")[0].strip().lower()
    return has_body and not (media_type == "application/json" or media_type.endswith("+json"))
