"""The short way to the routes that are asked most: past the framework's router, dependencies and models.

The framework finds a route among all, solves the tree of its dependencies and validates each of them anew,
which costs more than the command itself. Here the same functions are called directly, with the same types.
What is not plainly right (a body that does not validate, a header that is missing) takes the framework's way
from the beginning, so that there is one place which says what is wrong.
"""

import json
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth.caller import Caller, caller_of
from api.idempotency import HEADER, check_key, once
from api.problems import Problem, on_http, render

_JSON = "application/json"

Answer = Callable[[Request, Any, Caller], Coroutine[Any, Any, Response]]
Shown = Callable[[Request, str], Coroutine[Any, Any, Response]]


class _Route(NamedTuple):
    """What the log and the metrics call a route."""

    path_format: str


@dataclass(frozen=True)
class Command:
    """A route that takes a model and may be repeated under an `Idempotency-Key`, or must have one."""

    path: str
    route: str
    """What the log and the metrics call it, as the framework would."""
    model: type[BaseModel]
    answer: Answer
    key_required: bool = False

    async def __call__(self, request: Request) -> Response | None:
        """Return the answer, None where the framework has to look at the request. Raises Problems."""
        key, caller = request.headers.get(HEADER), None
        if key is None:
            if self.key_required:
                return None
        else:
            # In the framework's order: who it is, the key, the body.
            caller = caller_of(request)
            check_key(key)
            if caller.owner is None:
                return None
        body = _read(self.model, await request.body(), request.headers.get("content-type"))
        if body is None:
            return None
        known = caller or caller_of(request)
        if key is None or known.owner is None:
            return await self.answer(request, body, known)
        return await once(request, lambda _: self.answer(request, body, known), known.owner, key)


@dataclass(frozen=True)
class Reading:
    """A route that reads what its path's last segment names."""

    path: str
    """Without that segment."""
    route: str
    answer: Shown


class ShortWay:
    """Serves some routes by itself, and hands everything else on."""

    def __init__(self, app: ASGIApp, commands: Iterable[Command], readings: Iterable[Reading]) -> None:
        self._app = app
        self._commands = {each.path: (each, _Route(each.route)) for each in commands}
        self._readings = {each.path: (each, _Route(each.route)) for each in readings}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope.get("root_path"):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            answer, route = await self._answer(request)
        except Problem as problem:
            answer, route = render(problem, scope["path"]), self._route(scope)
        except HTTPException as error:
            answer, route = await on_http(request, error), self._route(scope)
        if answer is None:
            await self._app(scope, _again(request, receive), send)
            return
        scope["route"] = route
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> tuple[Response | None, _Route | None]:
        path: str = request.scope["path"]
        if request.method == "POST":
            if (found := self._commands.get(path)) is not None:
                command, route = found
                return await command(request), route
        elif request.method == "GET":
            head, _, last = path.rpartition("/")
            if last and (known := self._readings.get(head)) is not None:
                reading, route = known
                return await reading.answer(request, unquote(last)), route
        return None, None

    def _route(self, scope: Scope) -> _Route:
        path: str = scope["path"]
        return (self._commands.get(path) or self._readings[path.rpartition("/")[0]])[1]


def _read(model: type[BaseModel], body: bytes, media_type: str | None) -> BaseModel | None:
    """Return the body as the framework would read it; None where it does not fit."""
    if media_type != _JSON:
        return None
    try:
        return model.model_validate(json.loads(body))
    except (ValidationError, ValueError, RecursionError):
        return None


def _again(request: Request, receive: Receive) -> Receive:
    """Return how to read a request whose body may have been read already."""
    body: bytes | None = getattr(request, "_body", None)
    if body is None:
        return receive
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def read() -> Message:
        return unread.pop() if unread else await receive()

    return read
