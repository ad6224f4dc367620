"""A payment provider over HTTP: kept-alive connections, time limits, and a circuit breaker.

While the circuit is open every instruction is answered `unavailable` at once; the payment flow asks again
later.
"""

import asyncio
from http import HTTPStatus
from types import TracebackType
from typing import Self

import httpx
import msgspec
import structlog
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from connectors.payments.pools import PooledTransport
from connectors.payments.provider import Answer
from connectors.payments.settings import GatewaySettings
from connectors.payments.translation import ISSUER_UNAVAILABLE, answer_of, request_of
from schemas.payment import PaymentInstruction, ProviderOutcome

_CIRCUIT = "payment-provider"

_log = structlog.get_logger()


class _ProviderDownError(Exception):
    """The provider answered that it cannot serve."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class HttpProvider:
    """The provider at `url`; use as an async context manager."""

    def __init__(
        self, url: str, settings: GatewaySettings, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            transport=transport or PooledTransport(settings.in_flight),
            timeout=httpx.Timeout(settings.timeout_ms / 1000, connect=settings.connect_timeout_ms / 1000),
        )
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=settings.breaker_threshold,
            default_ttl=settings.breaker_open_ms / 1000,
            # Our own shutdown says nothing about the provider.
            exclude=[asyncio.CancelledError],
        )
        self._breakers.add_listener(_report)

    async def __aenter__(self) -> Self:
        await self._breakers.initialize()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

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
        except httpx.TimeoutException:
            return _unavailable("timeout")
        except httpx.TransportError as error:
            _log.debug("provider unreachable", order_id=order_id, error=repr(error))
            return _unavailable("unreachable")

    async def _post(self, order_id: str, instruction: PaymentInstruction) -> Answer:
        path, body = request_of(order_id, instruction)
        response = await self._client.post(
            path,
            content=msgspec.json.encode(body),
            headers={"Content-Type": "application/json", "Idempotency-Key": instruction.idempotency_key},
        )
        answer = answer_of(response.status_code, response.content)
        if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            _log.error("the provider refuses our credentials", status=response.status_code)
        if answer.outcome is ProviderOutcome.UNAVAILABLE and answer.reason != ISSUER_UNAVAILABLE:
            raise _ProviderDownError(answer)
        return answer


def _unavailable(reason: str) -> Answer:
    return Answer(ProviderOutcome.UNAVAILABLE, reason=reason)


def _report(circuit: str, change: str, event: object) -> None:
    if change == "state_changed":
        _log.warning("circuit changed", circuit=circuit, state=getattr(event, "state", None))
