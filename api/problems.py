"""Errors as RFC 9457 problem documents, every one with the request's correlation id."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import context, wording

API_PREFIX = "/api/"
MEDIA_TYPE = "application/problem+json"

MOST_ERRORS = 20
"""So many broken rules are told of one request; of the rest, their number."""
# What a client sent comes back in these only, and so cut: an answer stays below 10 kB. In bytes.
_FIELD_BYTES, _MESSAGE_BYTES, _DETAIL_BYTES, _PATH_BYTES = 80, 200, 1_000, 250

_log = structlog.get_logger()


class FieldError(BaseModel):
    """One broken rule: where (dotted path) and which."""

    field: str = Field(examples=["quantity"])
    rule: str = Field(examples=["greater_than"])
    message: str = Field(examples=["Input should be greater than 0"])


class LineChange(BaseModel):
    """A line that differs from what the buyer was shown; null is what is not known, or not there.

    Prices are minor units of one piece.
    """

    line_id: str
    sku: str | None = None
    name: str | None = None
    old_quantity: int | None = None
    new_quantity: int | None = None
    old_price: int | None = None
    new_price: int | None = None


class ProblemDocument(BaseModel):
    """RFC 9457. `reason` names a refused command's rule and `errors` the fields at fault.

    A checkout that is refused with `price_changed` or `cart_changed` has what was shown (`old_`) and what
    holds now (`new_`): totals in minor units of `currency`, the cart's versions, and the lines that differ.
    """

    type: str = Field(examples=["urn:ecommerce:problem:validation"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(ge=400, le=599, examples=[422])
    detail: str = Field(examples=["quantity: Input should be greater than 0"])
    instance: str = Field(examples=["/api/v1/cart/items"])
    correlation_id: str = Field(examples=["01932c0e-7d1b-7a55-8f0e-2f1f4a5d9b11"])
    reason: str | None = None
    errors: list[FieldError] | None = None
    more_errors: int | None = Field(default=None, description="Errors beyond those that are told.")
    order_id: str | None = None
    sku: str | None = None
    currency: str | None = None
    old_total: int | None = None
    new_total: int | None = None
    old_cart_version: int | None = None
    new_cart_version: int | None = None
    lines: list[LineChange] | None = None


class Problem(Exception):  # noqa: N818 (RFC 9457's own name of it)
    """A request that cannot be served; becomes a problem document.

    `kind` is the last part of the document's type URI, `extra` its extension members.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str | None = None,
        errors: list[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind or HTTPStatus(status).phrase.lower().replace(" ", "-").replace("'", "")
        self.errors = errors
        self.headers = dict(headers or {})
        self.extra = {name: value for name, value in extra.items() if value is not None}


def invalid(field: str, rule: str, message: str, status: int = 422) -> Problem:
    """Return the problem of one field that breaks one rule."""
    error = FieldError(field=field, rule=rule, message=message)
    return Problem(status, f"{field}: {message}", kind="validation", errors=[error])


def not_found(what: str) -> Problem:
    """Return the problem of a thing that does not exist, or not for this caller."""
    return Problem(404, f"{what} does not exist")


def unavailable(what: str) -> Problem:
    """Return the problem of a server behind this one that does not answer."""
    return Problem(503, f"{what} is not available right now", headers={"Retry-After": "2"})


class RefusedBodyError(HTTPException):
    """A body that is refused while it is read: the one kind of error that FastAPI passes on from there."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.status, problem.detail)
        self.problem = problem


def cut(text: str, most: int) -> str:
    """Return a text as UTF-8 can write it, at most so many bytes of it."""
    encoded = text.encode(errors="replace")
    return (encoded if len(encoded) <= most else encoded[:most]).decode(errors="ignore")


def of_validation(error: RequestValidationError) -> Problem:
    """Return the problem of a request that does not fit its model; given values are never echoed."""
    found = error.errors()
    errors = []
    for each in found[:MOST_ERRORS]:
        where = [str(part) for part in each["loc"]]
        if each["type"] == "json_invalid":
            reason = each.get("ctx", {}).get("error", "")
            return Problem(400, f"the body is not valid JSON: {reason}", kind="malformed-json")
        field = cut(".".join(where[1:]) or where[0], _FIELD_BYTES)
        errors.append(
            FieldError(field=field, rule=each["type"], message=cut(wording.of_error(each), _MESSAGE_BYTES))
        )
    detail = cut("; ".join(f"{each.field}: {each.message}" for each in errors), _DETAIL_BYTES)
    return Problem(
        422, detail, kind="validation", errors=errors, more_errors=(len(found) - len(errors)) or None
    )


class ProblemResponse(Response):
    """A problem's document; who reads pages is shown a page instead, wherever in the application it arose.

    `app.state.shown` makes the page: what arises before any route is matched has no other way to know it.
    """

    def __init__(self, content: bytes, problem: Problem) -> None:
        # A 404 may be kept by a cache, and given to somebody who reads the other of the two.
        headers = {"Vary": "Accept", "Cache-Control": "no-store", **problem.headers}
        super().__init__(content, problem.status, headers=headers, media_type=MEDIA_TYPE)
        self._problem = problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        shown = getattr(scope["app"].state, "shown", None)
        if shown is not None and _reads_pages(scope):
            await shown(Request(scope), self._problem)(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _reads_pages(scope: Scope) -> bool:
    accepted = Headers(scope=scope).get("accept", "")
    return "text/html" in accepted and not scope["path"].startswith(API_PREFIX)


def render(problem: Problem, instance: str) -> Response:
    """Return the problem as a response."""
    document: dict[str, Any] = {
        "type": f"urn:ecommerce:problem:{problem.kind}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": cut(problem.detail, _DETAIL_BYTES),
        "instance": cut(instance, _PATH_BYTES),
        "correlation_id": context.correlation_id.get(),
        **problem.extra,
    }
    if problem.errors:
        document["errors"] = [each.model_dump() for each in problem.errors]
    # What a client sent may be named in it, also half a character, which UTF-8 cannot say.
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return ProblemResponse(content, problem)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return render(error, request.url.path)


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return render(of_validation(error), request.url.path)


async def on_http(request: Request, error: Exception) -> Response:
    """Return the problem of what no route takes: an unknown path, a body that cannot be read."""
    assert isinstance(error, HTTPException)
    if isinstance(error, RefusedBodyError):
        return render(error.problem, request.url.path)
    headers = dict(error.headers or {})
    detail = {
        404: f"nothing is at {request.url.path}",
        413: "the request body is too large",
    }.get(error.status_code, str(error.detail))
    if error.status_code == HTTPStatus.BAD_REQUEST:
        detail = "the request body cannot be read"
    return render(Problem(error.status_code, detail, headers=headers), request.url.path)


def crashed(path: str, error: Exception) -> Response:
    """Log an error that nobody expected, and return a problem that tells nothing of it."""
    _log.error("request_crashed", path=path, exc_info=error)
    return render(Problem(500, "an unexpected error; quote the correlation id"), path)


def install(app: FastAPI) -> None:
    """Answer every expected error with a problem document; the others are the middleware's."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, on_http)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of the given problem statuses, for a route's `responses`."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }
