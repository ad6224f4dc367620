"""Answers that are the same for everybody: who has one may keep it, and ask whether it still holds."""

import hashlib
from typing import Annotated, Any, NamedTuple

from fastapi import Header
from starlette.responses import Response

_JSON = "application/json"

IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", description="The `ETag` that the client has; 304 where it still holds."),
]

UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "It is what the client has."}}


class Encoded(NamedTuple):
    """An answer's bytes and what they are told apart by."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, body: bytes) -> "Encoded":
        """Return the answer of these bytes."""
        return cls(body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')


def public(answer: Encoded, seconds: int, has: str | None) -> Response:
    """Return a JSON answer that may be kept for `seconds`, or 304 to who has it (`has`: `If-None-Match`)."""
    headers = {"ETag": answer.etag, "Cache-Control": f"public, max-age={seconds}"}
    if has is not None and _holds(has, answer.etag):
        return Response(None, 304, headers)
    return Response(answer.body, 200, headers, _JSON)


def _holds(has: str, etag: str) -> bool:
    return has.strip() == "*" or etag in {each.strip().removeprefix("W/") for each in has.split(",")}
