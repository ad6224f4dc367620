"""Refusing commands before anything is read, parsed or asked for them."""

from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.admission.gate import Gate
from api.admission.hand import Hand
from api.problems import render

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

    def has(self, method: str, path: str) -> bool:
        """Tell whether a request asks for a command."""
        if method not in _UNSAFE or not path.startswith(self._prefix):
            return False
        rest = path.removeprefix(self._prefix)
        return any(method in methods and regex.match(rest) for methods, regex in self._routes)


class AdmitCommands:
    """Answer commands with 503 while the gate is closed, or as many are in hand as may be."""

    def __init__(self, app: ASGIApp, routes: CommandRoutes) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and self._routes.has(scope["method"], scope["path"]):
            gate: Gate = scope["app"].state.services.gate
            if gate.closed_by:
                await render(gate.refusal(), scope["path"])(scope, receive, send)
                return
            await self._in_hand(gate.hand, scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _in_hand(self, hand: Hand, scope: Scope, receive: Receive, send: Send) -> None:
        async def read() -> Message:
            message = await receive()
            if not message.get("more_body", False):
                hand.take()
            return message

        with hand.request():
            await self._app(scope, read, send)
