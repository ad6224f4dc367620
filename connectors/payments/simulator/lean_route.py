"""A route that reads its request itself, and a way to it past the router.

FastAPI's own way from a request to a handler's arguments takes more of the CPU than a whole operation; the
handler's signature stays what describes the route.
"""

from collections.abc import Callable, Coroutine
from typing import Any, get_type_hints

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.payments.simulator.models import LONGEST_KEY
from connectors.payments.simulator.problems import document

Handle = Callable[[Request], Coroutine[Any, Any, Response]]

KEY_HEADER = "Idempotency-Key"


class LeanRoute(APIRoute):
    """For handlers of exactly a body, `asked`, and an Idempotency-Key, `key`, that return a Response."""

    def get_route_handler(self) -> Handle:
        """Return what serves a request; an unsound one raises RequestValidationError as FastAPI's does."""
        handler: Callable[..., Coroutine[Any, Any, Response]] = self.endpoint
        model: type[BaseModel] = get_type_hints(handler)["asked"]

        async def handle(request: Request) -> Response:
            key = _key(request)
            try:
                asked = model.model_validate_json(await request.body())
            except ValidationError as error:
                found = error.errors(include_url=False, include_context=False, include_input=False)
                raise RequestValidationError(
                    [{**one, "loc": ("body", *one["loc"])} for one in found]
                ) from None
            return await handler(asked, key)

        return handle


class Shortcut:
    """Middleware that serves the lean routes of `router` itself; everything else goes on to the app."""

    def __init__(self, app: ASGIApp, router: APIRouter) -> None:
        self._app = app
        self._handles: dict[tuple[str, str], Handle] = {
            (method, route.path): route.get_route_handler()
            for route in router.routes
            if isinstance(route, LeanRoute)
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""
        handle = self._handles.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if handle is None:
            await self._app(scope, receive, send)
            return
        try:
            response = await handle(Request(scope, receive))
        except Exception as error:  # noqa: BLE001 - what is no answer is raised again
            response = document(error)
        await response(scope, receive, send)


def _key(request: Request) -> str:
    key = request.headers.get(KEY_HEADER, "")
    if not 1 <= len(key) <= LONGEST_KEY:
        message = f"must be given, 1 to {LONGEST_KEY} characters"
        raise RequestValidationError([{"loc": ("header", KEY_HEADER), "type": "length", "msg": message}])
    return key
