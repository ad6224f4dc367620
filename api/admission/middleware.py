"""Refusing commands before anything is read, parsed or asked for them."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.admission.gate import Gate
from api.admission.hand import Hand
from api.problems import render

# Health, queries and accounts are not here; what else sends a command is refused where it sends it.
_COMMANDS = ("/api/v1/cart", "/api/v1/checkout", "/api/v1/orders", "/api/v1/products", "/api/v1/inventory")
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class AdmitCommands:
    """Answer commands with 503 while the gate is closed, or as many are in hand as may be."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and is_command(scope["method"], scope["path"]):
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


def is_command(method: str, path: str) -> bool:
    """Tell whether a request asks for a command."""
    return method in _UNSAFE and path.startswith(_COMMANDS)
