"""A route that reads its request itself.

FastAPI's own way from a request to a handler's arguments takes more of the CPU than a whole operation; the
handler's signature stays what describes the route.
"""

from collections.abc import Callable, Coroutine
from typing import Any, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

KEY_HEADER = "Idempotency-Key"
LONGEST_KEY = 200


class LeanRoute(APIRoute):
    """For handlers of exactly a body, `asked`, and an Idempotency-Key, `key`, that return a Response."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
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


def _key(request: Request) -> str:
    key = request.headers.get(KEY_HEADER, "")
    if not 1 <= len(key) <= LONGEST_KEY:
        message = f"must be given, 1 to {LONGEST_KEY} characters"
        raise RequestValidationError([{"loc": ("header", KEY_HEADER), "type": "length", "msg": message}])
    return key
