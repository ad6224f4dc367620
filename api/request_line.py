"""A request's first line, read before anything else: its method, its path, its query.

`HEAD` is `GET` without a body, everywhere. A method that a path has not is refused (405) before anybody asks
whether there is room for the command that it is not. A path with a slash too many leads where it would
without. No text that is looked for has a NUL, so a path or a query with one is refused here, for all.
"""

from urllib.parse import quote_from_bytes

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.names import encoded_path
from api.paths import Paths, allow
from api.problems import Problem, render

_ASCII = bytes(range(0x21, 0x7F)).decode()


class RequestLine:
    """Reads the request's line, and refuses or mends it."""

    def __init__(self, app: ASGIApp, paths: Paths) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["path"] = encoded_path(scope.get("raw_path") or scope["path"].encode())
        if not scope["query_string"].isascii():
            # Bytes that a client did not encode; whoever reads the query takes it for ASCII.
            scope["query_string"] = quote_from_bytes(scope["query_string"], safe=_ASCII).encode()
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        answer = self._refusal(method, scope)
        if answer is not None:
            await answer(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._without_body(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, method: str, scope: Scope) -> ASGIApp | None:
        path, query = scope["path"], scope["query_string"].decode()
        if "%00" in path or "%00" in query:
            problem = Problem(400, "the address has a NUL character (%00), which no text has")
            return render(problem, path)
        if self._paths.has(method, path):
            return None
        allowed = self._paths.methods(path)
        if allowed:
            refused = f"{scope['method']} is not possible at {path}"
            return render(Problem(405, refused, headers={"Allow": allow(allowed)}), path)
        shorter = path.rstrip("/")
        if method == "GET" and shorter != path and self._paths.has(method, shorter):
            return RedirectResponse(f"{shorter}?{query}" if query else shorter, 308)
        return None

    async def _without_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        ended = False

        async def head(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                await send(message)
            elif not ended and message["type"] == "http.response.body":
                # The first part ends it: of a stream of events nobody would see the rest.
                ended = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        # The server keeps its own scope: it has to know that the answer has no body.
        inner = {**scope, "method": "GET"}
        try:
            await self._app(inner, receive, head)
        finally:
            # What the log and the metrics call it.
            scope.update({name: inner[name] for name in ("route",) if name in inner})
