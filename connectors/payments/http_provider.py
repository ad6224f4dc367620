"""A payment provider over HTTP: kept-alive connections, time limits, and a circuit breaker.

While the circuit is open every instruction is answered `unavailable` at once; the payment flow asks again
later. Captures, which nobody waits for, go together under load.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import msgspec
import structlog
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from connectors.payments.gathering import Gathering
from connectors.payments.provider import Answer
from connectors.payments.settings import GatewaySettings
from connectors.payments.translation import (
    CAPTURE_BATCHES,
    ISSUER_UNAVAILABLE,
    answer_of,
    answers_of,
    batch_of,
    request_of,
)
from schemas.payment import PaymentInstruction, PaymentOperation, ProviderOutcome

_CIRCUIT = "payment-provider"
_KEY = "Idempotency-Key"

T = TypeVar("T")

# Shorter than servers keep an idle connection, so that a request does not meet one that closes.
_KEPT_ALIVE_S = 30

MOST_CAPTURES = 200
"""The most captures of one request."""

Capture = tuple[str, PaymentInstruction]

_log = structlog.get_logger()


class _ProviderDownError(Exception):
    """The provider answered that it cannot serve."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class HttpProvider:
    """The provider at `url`, which asks for `key`; use as an async context manager.

    aiohttp, as its request costs a fifth of httpx's on the CPU, and there are two to every order.
    """

    def __init__(self, url: str, settings: GatewaySettings, key: str | None = None) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=settings.breaker_threshold,
            default_ttl=settings.breaker_open_ms / 1000,
            # Our own shutdown says nothing about the provider.
            exclude=[asyncio.CancelledError],
        )
        self._breakers.add_listener(_report)
        self._captures = Gathering(self._capture, MOST_CAPTURES, settings.captures_apart_ms / 1000)

    async def __aenter__(self) -> Self:
        await self._breakers.initialize()
        settings = self._settings
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.in_flight, keepalive_timeout=_KEPT_ALIVE_S),
            timeout=aiohttp.ClientTimeout(
                total=settings.timeout_ms / 1000, sock_connect=settings.connect_timeout_ms / 1000
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._captures.close()
        if self._session is not None:
            await self._session.close()

    async def perform(self, order_id: str, instruction: PaymentInstruction) -> Answer:
        """Carry the instruction out, or say why its effect is unknown."""
        if instruction.operation is PaymentOperation.CAPTURE:
            return await self._captures.answer((order_id, instruction))
        return await self._alone(order_id, instruction)

    async def _capture(self, captures: list[Capture]) -> list[Answer]:
        """Take the money of many orders; of each alone where the provider refuses the batch as such."""
        answers = await self._together(captures) if len(captures) > 1 else None
        if answers is None:
            answers = await asyncio.gather(*(self._alone(*capture) for capture in captures))
        return answers

    async def _alone(self, order_id: str, instruction: PaymentInstruction) -> Answer:
        path, body = request_of(order_id, instruction)

        async def ask() -> Answer:
            answer = answer_of(*await self._post(path, body, {_KEY: instruction.idempotency_key}))
            if _is_down(answer):
                raise _ProviderDownError(answer)
            return answer

        return await self._guarded(ask, lambda failure: failure)

    async def _together(self, captures: list[Capture]) -> list[Answer] | None:
        async def ask() -> list[Answer] | None:
            status, content = await self._post(CAPTURE_BATCHES, batch_of(captures), {})
            answers = answers_of(status, content, len(captures))
            if answers is not None and all(_is_down(answer) for answer in answers):
                raise _ProviderDownError(answers[0])
            return answers

        return await self._guarded(ask, lambda failure: [failure] * len(captures))

    async def _guarded(self, ask: Callable[[], Awaitable[T]], failed: Callable[[Answer], T]) -> T:
        """Ask through the circuit breaker; every failure is an answer, made by `failed`."""
        try:
            async with await self._breakers.get_breaker(_CIRCUIT):
                return await ask()
        except OpenedState as opened:
            # One exception object serves every call while the circuit is open: it must not keep their frames.
            opened.with_traceback(None)
            return failed(_unavailable("circuit_open"))
        except _ProviderDownError as down:
            return failed(down.answer)
        except TimeoutError:
            return failed(_unavailable("timeout"))
        except aiohttp.ClientError as error:
            _log.debug("provider unreachable", error=repr(error))
            return failed(_unavailable("unreachable"))

    async def _post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, bytes]:
        assert self._session is not None, "the provider is entered before it is asked"
        async with self._session.post(
            f"{self._url}{path}",
            data=msgspec.json.encode(body),
            headers={"Content-Type": "application/json", **headers},
            allow_redirects=False,
        ) as response:
            status, content = response.status, await response.read()
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            _log.error("the provider refuses our credentials", status=status)
        return status, content


def _is_down(answer: Answer) -> bool:
    return answer.outcome is ProviderOutcome.UNAVAILABLE and answer.reason != ISSUER_UNAVAILABLE


def _unavailable(reason: str) -> Answer:
    return Answer(ProviderOutcome.UNAVAILABLE, reason=reason)


def _report(circuit: str, change: str, event: object) -> None:
    if change == "state_changed":
        _log.warning("circuit changed", circuit=circuit, state=getattr(event, "state", None))
