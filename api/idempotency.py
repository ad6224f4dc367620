"""`Idempotency-Key` the way Stripe does it: the first answer is kept for a day and given again.

The key also seeds the command's own id, so that a retry has no second effect even where Redis has forgotten.
"""

import hashlib
import hmac
import re
import zlib
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import msgspec
import structlog
from fastapi import Depends, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from redis.exceptions import RedisError

from api import wording
from api.auth.caller import Caller, caller_of
from api.problems import MEDIA_TYPE as PROBLEM_TYPE
from api.problems import Problem, invalid, render
from api.redis_line import Strings
from api.settings import ApiSettings
from schemas.envelope import derived_id

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("content-type", "location", "preference-applied", "etag")
# Nothing was begun for these answers: the same request may succeed later, or by somebody else.
_NOT_BEGUN = frozenset({401, 403, 413, 415, 429})
_GRACE_SECONDS = 30
_FAST = 1
"""Level of the compression: a cart's lines are so alike that more effort gains little."""

_log = structlog.get_logger()


class Kept(msgspec.Struct, frozen=True):
    """What is kept of a request: its fingerprint and, once it is answered, the answer."""

    fingerprint: str
    status: int | None = None
    headers: dict[str, str] = {}
    body: bytes = b""
    compressed: bool = False
    # Of a repetition all is kept that matters, and nothing of what it said.
    too_large: bool = False

    def answer(self) -> Response:
        """Return the first answer again; where it was too large to keep, a 409 Problem that says so."""
        if self.too_large:
            return render(_not_kept(self), self.headers.get("location", ""))
        assert self.status is not None
        body = zlib.decompress(self.body) if self.compressed else self.body
        return Response(body, self.status, self.headers)


def _not_kept(kept: Kept) -> Problem:
    return Problem(
        409,
        f"this was done and answered with {kept.status}; the answer was too large to keep: read the resource",
        kind="answer-not-kept",
        headers=kept.headers | {"content-type": PROBLEM_TYPE},
    )


class IdempotencyStore:
    """Answers by owner and key, in Redis. Where Redis does not answer, requests pass as if they were new."""

    def __init__(self, redis: Strings, secret: bytes, limits: ApiSettings) -> None:
        self._redis = redis
        self._secret = secret
        self._limits = limits

    def fingerprint(self, method: str, target: str, body: bytes) -> str:
        """Return what tells requests apart; keyed, so that no card number can be guessed from it."""
        text = method.encode() + b" " + target.encode() + b"\n" + body
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    async def begin(self, owner: str, key: str, fingerprint: str) -> Kept | None:
        """Claim the key (None), or return the answer that it has.

        Raises Problems: 422 where it was used for another request, 409 while that one is in flight.
        """
        claim = msgspec.msgpack.encode(Kept(fingerprint))
        seconds = int(self._limits.max_wait_seconds) + _GRACE_SECONDS
        try:
            if await self._redis.set(_name(owner, key), claim, nx=True, ex=seconds):
                return None
            found = await self._redis.get(_name(owner, key))
        except RedisError as error:
            _log.warning("idempotency_store_down", error=repr(error))
            return None
        if found is None:
            return None
        assert isinstance(found, bytes), "the client decodes nothing"
        kept = msgspec.msgpack.decode(found, type=Kept)
        if kept.fingerprint != fingerprint:
            raise invalid(HEADER, "reused", "was already used for another request")
        if kept.status is None:
            raise Problem(
                409,
                "a request with this Idempotency-Key is in flight",
                kind="in-flight",
                headers={"Retry-After": "1"},
            )
        return kept

    async def finish(self, owner: str, key: str, fingerprint: str, response: Response) -> None:
        """Keep the answer of a claimed key."""
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        body = zlib.compress(bytes(response.body), _FAST)
        most = self._limits.kept_answer_bytes
        if len(body) > most:
            kept = Kept(fingerprint, response.status_code, headers, too_large=True)
        else:
            kept = Kept(fingerprint, response.status_code, headers, body, compressed=True)
        try:
            await self._redis.set(
                _name(owner, key), msgspec.msgpack.encode(kept), ex=self._limits.idempotency_seconds
            )
        except RedisError as error:
            _log.warning("idempotency_store_down", error=repr(error))

    async def release(self, owner: str, key: str) -> None:
        """Give up a claimed key: the request was not begun, or may be tried again."""
        try:
            await self._redis.delete(_name(owner, key))
        except RedisError as error:
            _log.warning("idempotency_store_down", error=repr(error))


def _name(owner: str, key: str) -> str:
    return f"api:idempotency:{derived_id(owner, key)}"


def check_key(given: str) -> str:
    """Return the key; raises a 422 Problem where it is not 1 to 255 visible ASCII characters."""
    if not _KEY.fullmatch(given):
        raise invalid(HEADER, "format", "must be 1 to 255 visible ASCII characters")
    return given


class IdempotentRoute(APIRoute):
    """A route whose answers are kept under the caller's `Idempotency-Key`, where one is given.

    A caller who is nobody yet (no token, no cart) owns nothing to keep an answer under.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, wrapped."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            given = request.headers.get(HEADER)
            if given is None or request.method in ("GET", "HEAD"):
                return await handler(request)
            owner, key = caller_of(request).owner, check_key(given)
            if owner is None:
                return await handler(request)
            return await once(request, handler, owner, key)

        return handle


async def once(
    request: Request,
    handler: Callable[[Request], Coroutine[Any, Any, Response]],
    owner: str,
    key: str,
) -> Response:
    """Return the handler's answer, or the one that was given before to this owner under this key."""
    store: IdempotencyStore = request.app.state.services.idempotency
    target = request.url.path + "?" + request.url.query
    fingerprint = store.fingerprint(request.method, target, await request.body())
    kept = await store.begin(owner, key, fingerprint)
    if kept is not None:
        answer = kept.answer()
        answer.headers[REPLAYED] = "true"
        return answer
    try:
        response = await _answer(request, handler)
    except BaseException:
        await store.release(owner, key)
        raise
    await store.finish(owner, key, fingerprint, response)
    return response


async def _answer(request: Request, handler: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
    try:
        return await handler(request)
    except RequestValidationError:
        raise
    except Problem as problem:
        if problem.status >= 500 or problem.status in _NOT_BEGUN:  # noqa: PLR2004 (server errors)
            raise
        return render(problem, request.url.path)


_KeyHeader = Header(
    alias=HEADER,
    min_length=1,
    max_length=255,
    pattern=wording.KEY,
    # No example: whoever tries the documentation out would share its key with others.
    description="A random text, such as a UUID; the first answer to it is given again for 24 h.",
)


async def _command_id(request: Request, key: Annotated[str | None, _KeyHeader] = None) -> str | None:
    return None if key is None else command_id_of(request, caller_of(request), key)


def command_id_of(request: Request, caller: Caller, key: str | None) -> str | None:
    """Return the id of the command that a request sends under a key; None without one, or for nobody."""
    if key is None or caller.owner is None:
        return None
    return derived_id("command", caller.owner, request.method, request.url.path, key)


CommandId = Annotated[str | None, Depends(_command_id)]
"""The id of the command that a request with an `Idempotency-Key` sends; None where it has no key."""

RequiredKey = Annotated[str, _KeyHeader]
"""The `Idempotency-Key` of a request that must have one."""
