"""Latency and outages, before a request reaches the provider; operators' own paths always get through."""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from connectors.payments.simulator.models import Modes, Outage
from connectors.payments.simulator.problems import problem

ABORT = "payment_provider.abort"
"""The ASGI extension by which an outage drops the connection."""

_RETRY_AFTER = "1"


class AbortableProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, with a way for the app to drop the connection as a dead server would."""

    def on_message_begin(self) -> None:
        """Begin a request; its scope carries the extension."""
        super().on_message_begin()
        # uvicorn types no extensions for HTTP, though ASGI has them.
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}


class Disruption:
    """Middleware that plays the outage and the latency of `modes`, which may change at any time."""

    def __init__(self, app: ASGIApp, modes: "CurrentModes") -> None:
        self._app = app
        self._modes = modes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, late or not at all."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        modes = self._modes.now
        match modes.outage:
            case Outage.ERRORS:
                answer = problem(503, "outage", "the provider is out of order")
                answer.headers["Retry-After"] = _RETRY_AFTER
                await answer(scope, receive, send)
            case Outage.HANG:
                await self._modes.until_changed(receive)
                await _drop(scope, receive)
            case Outage.REFUSE:
                await _drop(scope, receive)
            case Outage.NONE:
                if modes.latency_ms:
                    await asyncio.sleep(modes.latency_ms / 1000)
                await self._app(scope, receive, send)


class CurrentModes:
    """The modes in force."""

    def __init__(self) -> None:
        self.now = Modes()
        self._changed = asyncio.Event()

    def change(self, modes: Modes) -> None:
        """Put other modes in force and wake everyone who hangs."""
        self.now = modes
        self._changed.set()
        self._changed = asyncio.Event()

    async def until_changed(self, receive: Receive) -> None:
        """Wait until the modes change or the client has gone."""
        waits = [
            asyncio.ensure_future(self._changed.wait()),
            asyncio.ensure_future(_gone(receive)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            for wait in waits:
                with suppress(asyncio.CancelledError):
                    await wait


async def _gone(receive: Receive) -> None:
    message: Message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()


async def _drop(scope: Scope, receive: Receive) -> None:
    abort = scope.get("extensions", {}).get(ABORT)
    if abort is None:
        raise ConnectionAbortedError("this server cannot drop connections")
    abort["abort"]()
    # The server takes the request as over only when it has seen the connection go.
    await _gone(receive)
