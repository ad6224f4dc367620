"""An open event stream ends with the session that opened it."""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth.ended import EndedSessions, Session

SESSION = "session"
"""Under which name of the request's state the session is, once a token was read."""

_STREAM = "text/event-stream"


class StreamsOfSessions:
    """Tells a stream's route that its client has gone, as soon as the client's session is over.

    The stream is checked nowhere else: what it yields goes to whoever was let in when it began.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, receive, send)
        try:
            await self._app(scope, answer.receive, answer.send)
            await answer.finish()
        finally:
            answer.close()


class _Answer:
    """One answer, which is watched where it is a stream to somebody with a session."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._over: asyncio.Task[None] | None = None
        self._complete = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            session = self._scope.get("state", {}).get(SESSION)
            if session is not None and _streams(message):
                self._over = asyncio.create_task(_ended(self._scope).over(session))
        elif message["type"] == "http.response.body":
            self._complete = not message.get("more_body", False)
        await self._send(message)

    async def receive(self) -> Message:
        if self._over is None:
            return await self._receive()
        return await _first(self._receive, self._over)

    async def finish(self) -> None:
        """Give a stream that was broken off an end: without one, a server takes the answer for a fault."""
        if self._over is not None and self._over.done() and not self._complete:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def close(self) -> None:
        if self._over is not None:
            self._over.cancel()


async def _first(receive: Receive, over: "asyncio.Task[None]") -> Message:
    """Return what the client sends, or that it is gone once the session is over."""
    received = asyncio.ensure_future(receive())
    try:
        await asyncio.wait((received, over), return_when=asyncio.FIRST_COMPLETED)
        if received.done():
            return received.result()
        return {"type": "http.disconnect"}
    finally:
        if not received.done():
            received.cancel()
            with suppress(asyncio.CancelledError):
                await received


def _streams(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("content-type", "").startswith(_STREAM)


def _ended(scope: Scope) -> EndedSessions:
    ended: EndedSessions = scope["app"].state.services.ended
    return ended


def remember(scope: Scope, session: Session) -> None:
    """Keep which session a request belongs to."""
    scope.setdefault("state", {})[SESSION] = session
