"""The provider's errors: RFC 9457 problem documents that never repeat what was sent (it may be a card)."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class ProviderProblemError(Exception):
    """A request that the provider refuses; `code` is its reason, `members` extend the document."""

    def __init__(self, status: int, code: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.members = members


def problem(status: int, code: str, detail: str, **members: Any) -> JSONResponse:
    """Return a problem document."""
    document = {
        "type": f"urn:payment-provider:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        **members,
    }
    return JSONResponse(document, status, media_type=MEDIA_TYPE)


def invalid(field: str, rule: str, detail: str) -> ProviderProblemError:
    """Return the problem of one field that breaks one rule."""
    return ProviderProblemError(
        422, "invalid", f"{field}: {detail}", errors=[{"field": field, "rule": rule, "message": detail}]
    )


def document(error: Exception) -> JSONResponse:
    """Return the problem of a request that was refused or unsound; raises any other error again."""
    match error:
        case ProviderProblemError():
            return problem(error.status, error.code, error.detail, **error.members)
        case RequestValidationError():
            return _unsound(error)
        case HTTPException():
            return problem(error.status_code, "http_error", str(error.detail))
    raise error


def _unsound(error: RequestValidationError) -> JSONResponse:
    errors = [
        {
            "field": ".".join(str(part) for part in found["loc"][1:]) or "body",
            "rule": found["type"],
            "message": found["msg"],
        }
        for found in error.errors()
    ]
    detail = "; ".join(f"{found['field']}: {found['message']}" for found in errors)
    return problem(422, "invalid", detail, errors=errors)


def install(app: FastAPI) -> None:
    """Make every error of the app a problem document."""

    async def answer(_: Request, error: Exception) -> JSONResponse:
        return document(error)

    for kind in (ProviderProblemError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)
