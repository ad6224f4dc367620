"""What a request may carry: so many bytes, so many values, so deep. Looked at before anything is parsed.

A validator that is given 80,000 unknown fields tells 80,000 faults; so what no route could want is refused
while it is still text.
"""

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, RefusedBodyError, render

MOST_VALUES = 1_000
"""Fields, elements and containers of a JSON body together. The largest that a route wants has some fifty."""
DEEPEST = 32
MOST_PARAMETERS = 100

# Staff edit a record's whole content there, and a record may have a megabyte.
_EDITING = "/ops/"
_EDITED_BYTES = 1024 * 1024

_FORM, _PARTS = "application/x-www-form-urlencoded", "multipart/"
# A text that is not closed reaches to the end, so no body takes more than one pass.
_TEXTS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def fault_of_json(body: bytes) -> Problem | None:
    """Return why a JSON text is not read any further; it need not be valid otherwise."""
    if b"\x00" in body:
        return Problem(400, "the body is not valid JSON: it must be UTF-8", kind="malformed-json")
    if _marks(body) <= DEEPEST:
        return None
    bare = _TEXTS.sub(b"", body)
    if _marks(bare) > MOST_VALUES:
        return Problem(422, f"the body has more than {MOST_VALUES} values", kind="validation")
    depth = deepest = 0
    for each in bare.translate(None, _BRACKETS):
        depth += 1 if each in b"[{" else -1
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        return Problem(422, f"the body is nested more than {DEEPEST} deep", kind="validation")
    return None


def _marks(text: bytes) -> int:
    return sum(text.count(mark) for mark in (b",", b":", b"[", b"{"))


class BodyLimit:
    """Refuse bodies above `limit` bytes (413), announced or not, and those with too many values (422)."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = max(self._limit, _EDITED_BYTES) if scope["path"].startswith(_EDITING) else self._limit
        problem = _announced(scope, headers, limit)
        if problem is not None:
            await render(problem, scope["path"])(scope, receive, send)
            return
        watched = _Watched(receive, limit, is_form=headers.get("content-type", "").lower().startswith(_FORM))
        await self._app(scope, watched.receive, send)


def _announced(scope: Scope, headers: Headers, limit: int) -> Problem | None:
    if scope["query_string"].count(b"&") >= MOST_PARAMETERS:
        return Problem(400, f"the address has more than {MOST_PARAMETERS} parameters")
    if headers.get("content-type", "").lower().startswith(_PARTS):
        return Problem(415, "forms with files are not taken")
    announced = headers.get("content-length", "")
    return _too_large(limit) if announced.isdecimal() and int(announced) > limit else None


def _too_large(limit: int) -> Problem:
    return Problem(413, f"the request body is larger than {limit} bytes")


class _Watched:
    """A request's body as it is read."""

    def __init__(self, receive: Receive, limit: int, *, is_form: bool) -> None:
        self._receive = receive
        self._limit = limit
        self._is_form = is_form
        self._chunks: list[bytes] = []
        self._received = self._fields = 0

    async def receive(self) -> Message:
        message = await self._receive()
        chunk = message.get("body", b"")
        self._received += len(chunk)
        if self._received > self._limit:
            raise RefusedBodyError(_too_large(self._limit))
        if self._is_form:
            self._fields += chunk.count(b"&")
            if self._fields > MOST_VALUES:
                raise RefusedBodyError(Problem(422, f"the form has more than {MOST_VALUES} fields"))
            return message
        if chunk:
            self._chunks.append(chunk)
        if self._chunks and not message.get("more_body", False):
            problem = fault_of_json(b"".join(self._chunks))
            self._chunks.clear()
            if problem is not None:
                raise RefusedBodyError(problem)
        return message
