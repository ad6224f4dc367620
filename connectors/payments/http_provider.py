"""A payment provider over HTTP: kept-alive connections, time limits, and a circuit breaker.

While the circuit is open every instruction is answered `unavailable` at once; the payment flow asks again
later.
"""

import asyncio
from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
import structlog
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from connectors.payments.provider import Answer
from connectors.payments.settings import GatewaySettings
from connectors.payments.translation import ISSUER_UNAVAILABLE, answer_of, request_of
from schemas.payment import PaymentInstruction, ProviderOutcome

_CIRCUIT = "payment-provider"

# Shorter than servers keep an idle connection, so that a request does not meet one that closes.
_KEPT_ALIVE_S = 30

_log = structlog.get_logger()


class _ProviderDownError(Exception):
    """The provider answered that it cannot serve."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class HttpProvider:
    """The provider at `url`; use as an async context manager.

    aiohttp, as its request costs a fifth of httpx's on the CPU, and there are two to every order.
    """

    def __init__(self, url: str, settings: GatewaySettings) -> None:
        self._url = url.rstrip("/")
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=settings.breaker_threshold,
            default_ttl=settings.breaker_open_ms / 1000,
            # Our own shutdown says nothing about the provider.
            exclude=[asyncio.CancelledError],
        )
        self._breakers.add_listener(_report)

    async def __aenter__(self) -> Self:
        await self._breakers.initialize()
        settings = self._settings
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.in_flight, keepalive_timeout=_KEPT_ALIVE_S),
            timeout=aiohttp.ClientTimeout(
                total=settings.timeout_ms / 1000, sock_connect=settings.connect_timeout_ms / 1000
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def perform(self, order_id: str, instruction: PaymentInstruction) -> Answer:
        """Carry the instruction out, or say why its effect is unknown."""
        try:
            async with await self._breakers.get_breaker(_CIRCUIT):
                return await self._post(order_id, instruction)
        except OpenedState as opened:
            # One exception object serves every call while the circuit is open: it must not keep their frames.
            opened.with_traceback(None)
            return _unavailable("circuit_open")
        except _ProviderDownError as down:
            return down.answer
        except TimeoutError:
            return _unavailable("timeout")
        except aiohttp.ClientError as error:
            _log.debug("provider unreachable", order_id=order_id, error=repr(error))
            return _unavailable("unreachable")

    async def _post(self, order_id: str, instruction: PaymentInstruction) -> Answer:
        assert self._session is not None, "the provider is entered before it is asked"
        path, body = request_of(order_id, instruction)
        async with self._session.post(
            f"{self._url}{path}",
            data=msgspec.json.encode(body),
            headers={"Content-Type": "application/json", "Idempotency-Key": instruction.idempotency_key},
            allow_redirects=False,
        ) as response:
            status, content = response.status, await response.read()
        answer = answer_of(status, content)
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            _log.error("the provider refuses our credentials", status=status)
        if answer.outcome is ProviderOutcome.UNAVAILABLE and answer.reason != ISSUER_UNAVAILABLE:
            raise _ProviderDownError(answer)
        return answer


def _unavailable(reason: str) -> Answer:
    return Answer(ProviderOutcome.UNAVAILABLE, reason=reason)


def _report(circuit: str, change: str, event: object) -> None:
    if change == "state_changed":
        _log.warning("circuit changed", circuit=circuit, state=getattr(event, "state", None))
