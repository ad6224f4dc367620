"""Refusing commands before anything is read, parsed or asked for them."""

import re
from collections.abc import Iterable, Sequence

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import context
from api.admission.gate import Gate
from api.admission.shares import Share, exceeded, holding
from api.paths import remembering
from api.problems import Problem, render

_CLAIMS = frozenset({b"authorization", b"x-cart-id", b"cookie"})
_STREAM = re.compile(r"/orders/[^/]+/(events|progress)$")
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class CommandRoutes:
    """The routes that send commands: path and method must be one's, or a request asks for no command.

    Health, queries and accounts are not here; what else sends a command is refused where it sends it.
    """

    def __init__(self, prefix: str, routers: Iterable[APIRouter]) -> None:
        self._prefix = prefix
        routes = [each for router in routers for each in router.routes if isinstance(each, APIRoute)]
        methods = [(each, (each.methods or set()) & _UNSAFE) for each in routes]
        self._routes = [(unsafe, each.path_regex) for each, unsafe in methods if unsafe]
        self._known = remembering(self._has)

    def has(self, method: str, path: str) -> bool:
        """Tell whether a request asks for a command."""
        if method not in _UNSAFE or not path.startswith(self._prefix):
            return False
        return self._known(method, path)

    def _has(self, method: str, path: str) -> bool:
        rest = path.removeprefix(self._prefix)
        return any(method in methods and regex.match(rest) for methods, regex in self._routes)


class AdmitCommands:
    """Answer commands with 503 while the gate is closed, or as many are in hand as may be.

    Before that, with 429 to whom has its share in hand already.
    """

    def __init__(self, app: ASGIApp, routes: CommandRoutes) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not self._routes.has(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        gate: Gate = scope["app"].state.services.gate
        client, claim = context.client.get(), _claim(scope)
        limited = client not in gate.shares.unlimited
        of_client = gate.shares.client_in_hand if limited else None
        of_claim = [(gate.shares.requests, claim)] if limited and claim else []
        refusal = _refusal(gate, of_client, client, of_claim)
        if refusal is not None:
            await render(refusal, scope["path"])(scope, receive, send)
            return

        async def read() -> Message:
            message = await receive()
            if not message.get("more_body", False):
                gate.hand.take()
            return message

        with holding(*of_claim), gate.hand.request(of_client, client):
            await self._app(scope, read, send)


def _refusal(
    gate: Gate, of_client: Share | None, client: str, of_claim: Sequence[tuple[Share, object]]
) -> Problem | None:
    """Return why a command does not enter: first for its own sender's sake, then for that of all."""
    if of_client is not None and of_client.full(client):
        return exceeded(of_client.what)
    for share, holder in of_claim:
        if share.full(holder):
            return exceeded(share.what)
    return gate.refusal() if gate.closed_by else None


def _claim(scope: Scope) -> tuple[bytes, ...]:
    """Return what a request says of who it is; whether it is true is looked at later, and costs more."""
    return tuple(value for name, value in scope["headers"] if name in _CLAIMS)


class AdmitStreams:
    """Answer event streams with 429 to who has a share of them already, and with 503 where all are taken.

    They are counted around the whole request, so that none stays counted, however it ends.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _STREAM.search(scope["path"]):
            await self._app(scope, receive, send)
            return
        gate: Gate = scope["app"].state.services.gate
        taken = gate.shares.stream(_claim(scope))
        refusal = next((exceeded(share.what) for share, holder in taken if share.full(holder)), None)
        if refusal is None and gate.streams.full(""):
            refusal = Problem(503, "there are too many event streams", headers={"Retry-After": "5"})
        if refusal is not None:
            await render(refusal, scope["path"])(scope, receive, send)
            return
        with holding((gate.streams, ""), *taken):
            await self._app(scope, receive, send)
