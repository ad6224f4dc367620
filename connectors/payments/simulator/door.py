"""Who may ask the provider: those who hold its key, as `Authorization: Bearer KEY` (RFC 6750)."""

import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.payments.simulator.problems import problem

_OPEN = frozenset({"/health/live"})


class Door:
    """Middleware that answers 401 to whoever does not hold the key."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._expected = f"bearer {key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve who holds the key, and whoever asks only whether the process lives."""
        if scope["type"] != "http" or scope["path"] in _OPEN or self._is_held(scope):
            await self._app(scope, receive, send)
            return
        answer = problem(
            401, "unauthorised", "the Authorization header must be: Bearer and the provider's key"
        )
        answer.headers["WWW-Authenticate"] = "Bearer"
        await answer(scope, receive, send)

    def _is_held(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) != 1:
            return False
        scheme, space, key = given[0].partition(b" ")
        # In the time that the right one takes, whatever is wrong.
        return hmac.compare_digest(scheme.lower() + space + key, self._expected)
