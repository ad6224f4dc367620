"""The HTTP adapter: every failure is an answer, and a dead provider is left alone for a while."""

import json
from collections.abc import Callable

import httpx
import pytest

from connectors.payments.http_provider import HttpProvider
from connectors.payments.provider import Answer
from connectors.payments.settings import GatewaySettings
from schemas.payment import PaymentInstruction, PaymentOperation, ProviderOutcome

INSTRUCTION = PaymentInstruction(PaymentOperation.AUTHORISE, "key-1", 3270, "GBP", "tok_visa", 1)
UNAVAILABLE = ProviderOutcome.UNAVAILABLE

Handler = Callable[[httpx.Request], httpx.Response]


def provider(handler: Handler, **rules: int) -> HttpProvider:
    settings = GatewaySettings(**{"breaker_threshold": 2, "breaker_open_ms": 60_000, **rules})
    return HttpProvider("http://provider", settings, httpx.MockTransport(handler))


async def test_an_instruction_is_one_request_with_its_key() -> None:
    seen = list[httpx.Request]()

    def approve(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json={"id": "auth_1", "outcome": "approved"})

    async with provider(approve) as http:
        answer = await http.perform("order-1", INSTRUCTION)
    assert answer == Answer(ProviderOutcome.APPROVED, "auth_1")
    (request,) = seen
    assert (request.method, request.url.path) == ("POST", "/authorisations")
    assert request.headers["Idempotency-Key"] == "key-1"
    assert json.loads(request.content)["order_id"] == "order-1"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ReadTimeout("late"), "timeout"),
        (httpx.PoolTimeout("busy"), "timeout"),
        (httpx.ConnectError("refused"), "unreachable"),
        (httpx.RemoteProtocolError("closed"), "unreachable"),
    ],
)
async def test_a_failure_of_the_network_leaves_the_effect_unknown(
    error: httpx.TransportError, reason: str
) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    async with provider(fail) as http:
        assert await http.perform("order-1", INSTRUCTION) == Answer(UNAVAILABLE, reason=reason)


async def test_failures_in_a_row_open_the_circuit() -> None:
    calls = list[int]()

    def fail(_: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(503, json={"code": "outage"})

    async with provider(fail) as http:
        reasons = [(await http.perform("order-1", INSTRUCTION)).reason for _ in range(5)]
    assert reasons == ["outage", "outage", "circuit_open", "circuit_open", "circuit_open"]
    assert len(calls) == 2


async def test_the_circuit_closes_when_the_provider_is_back() -> None:
    answers = iter([503, 503, 201])

    def recover(_: httpx.Request) -> httpx.Response:
        return httpx.Response(next(answers), json={"id": "auth_1", "outcome": "approved"})

    async with provider(recover, breaker_open_ms=1) as http:
        while (answer := await http.perform("order-1", INSTRUCTION)).outcome is UNAVAILABLE:
            assert answer.reason in ("http_503", "circuit_open")
    assert answer.reference == "auth_1"


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (201, {"outcome": "declined", "reason": "card_declined"}),
        (422, {"code": "invalid"}),
        (503, {"code": "issuer_unavailable"}),
    ],
)
async def test_what_concerns_one_card_says_nothing_of_the_provider(
    status: int, document: dict[str, str]
) -> None:
    async with provider(lambda _: httpx.Response(status, json=document)) as http:
        reasons = {(await http.perform("order-1", INSTRUCTION)).reason for _ in range(5)}
    assert "circuit_open" not in reasons


async def test_refused_credentials_are_no_verdict_on_the_customer() -> None:
    async with provider(lambda _: httpx.Response(401)) as http:
        assert await http.perform("order-1", INSTRUCTION) == Answer(UNAVAILABLE, reason="http_401")
