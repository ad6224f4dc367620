"""The HTTP adapter: every failure is an answer, and a dead provider is left alone for a while."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from connectors.payments.http_provider import HttpProvider
from connectors.payments.provider import Answer
from connectors.payments.settings import GatewaySettings
from schemas.payment import PaymentInstruction, PaymentOperation, ProviderOutcome

INSTRUCTION = PaymentInstruction(PaymentOperation.AUTHORISE, "key-1", 3270, "GBP", "tok_visa", 1)
UNAVAILABLE = ProviderOutcome.UNAVAILABLE
LATE_S = 5.0

Handler = Callable[[web.Request], Awaitable[web.Response]]


def rules_of(**rules: int) -> GatewaySettings:
    return GatewaySettings(**{"breaker_threshold": 2, "breaker_open_ms": 60_000, **rules})


@asynccontextmanager
async def provider(handler: Handler, **rules: int) -> AsyncIterator[HttpProvider]:
    """A real server that answers as `handler` says, and the adapter to it."""
    app = web.Application()
    app.router.add_post("/{path:.*}", handler)
    async with TestServer(app) as server, HttpProvider(str(server.make_url("/")), rules_of(**rules)) as http:
        yield http


def always(status: int, document: dict[str, str] | None = None) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.json_response(document or {}, status=status)

    return handle


async def test_an_instruction_is_one_request_with_its_key() -> None:
    seen = list[tuple[str, str, str | None, str]]()

    async def approve(request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        seen.append((request.method, request.path, request.headers.get("Idempotency-Key"), body["order_id"]))
        return web.json_response({"id": "auth_1", "outcome": "approved"}, status=201)

    async with provider(approve) as http:
        answer = await http.perform("order-1", INSTRUCTION)
    assert answer == Answer(ProviderOutcome.APPROVED, "auth_1")
    assert seen == [("POST", "/authorisations", "key-1", "order-1")]


async def test_a_provider_may_have_a_path_of_its_own() -> None:
    seen = list[str]()

    async def approve(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.json_response({"id": "auth_1", "outcome": "approved"}, status=201)

    app = web.Application()
    app.router.add_post("/{path:.*}", approve)
    async with TestServer(app) as server, HttpProvider(f"{server.make_url('/')}v2/", rules_of()) as http:
        await http.perform("order-1", INSTRUCTION)
    assert seen == ["/v2/authorisations"]


async def test_an_answer_that_is_late_leaves_the_effect_unknown() -> None:
    done = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        async with asyncio.timeout(LATE_S):
            await done.wait()
        return web.json_response({})

    async with provider(hang, timeout_ms=50) as http:
        assert await http.perform("order-1", INSTRUCTION) == Answer(UNAVAILABLE, reason="timeout")
        done.set()


async def test_a_dropped_connection_leaves_the_effect_unknown() -> None:
    async def drop(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.json_response({})

    async with provider(drop) as http:
        assert await http.perform("order-1", INSTRUCTION) == Answer(UNAVAILABLE, reason="unreachable")


async def test_a_port_that_nobody_listens_to_is_an_answer() -> None:
    async with HttpProvider(f"http://127.0.0.1:{unused_port()}", rules_of()) as http:
        assert await http.perform("order-1", INSTRUCTION) == Answer(UNAVAILABLE, reason="unreachable")


async def test_failures_in_a_row_open_the_circuit() -> None:
    calls = list[int]()

    async def fail(_: web.Request) -> web.Response:
        calls.append(1)
        return web.json_response({"code": "outage"}, status=503)

    async with provider(fail) as http:
        reasons = [(await http.perform("order-1", INSTRUCTION)).reason for _ in range(5)]
    assert reasons == ["outage", "outage", "circuit_open", "circuit_open", "circuit_open"]
    assert len(calls) == 2


async def test_the_circuit_closes_when_the_provider_is_back() -> None:
    answers = iter([503, 503, 201])

    async def recover(_: web.Request) -> web.Response:
        return web.json_response({"id": "auth_1", "outcome": "approved"}, status=next(answers))

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
    async with provider(always(status, document)) as http:
        reasons = {(await http.perform("order-1", INSTRUCTION)).reason for _ in range(5)}
    assert "circuit_open" not in reasons


async def test_refused_credentials_are_no_verdict_on_the_customer() -> None:
    async with provider(always(401)) as http:
        assert await http.perform("order-1", INSTRUCTION) == Answer(UNAVAILABLE, reason="http_401")


CAPTURES = [
    (f"order-{n}", PaymentInstruction(PaymentOperation.CAPTURE, f"key-{n}", 3270, "GBP", "", 1, f"auth_{n}"))
    for n in range(3)
]


async def captured(http: HttpProvider) -> list[Answer]:
    return await asyncio.gather(*(http.perform(*capture) for capture in CAPTURES))


async def test_captures_that_come_together_are_one_request_in_which_each_has_its_key() -> None:
    seen = list[tuple[str, list[str]]]()

    async def approve(request: web.Request) -> web.Response:
        captures = json.loads(await request.read())["captures"]
        seen.append((request.path, [one["idempotency_key"] for one in captures]))
        answers = [
            {"status": 201, "body": {"id": f"capture of {one['capture']['order_id']}", "outcome": "approved"}}
            for one in captures
        ]
        return web.json_response({"answers": answers})

    async with provider(approve) as http:
        answers = await captured(http)
    assert answers == [Answer(ProviderOutcome.APPROVED, f"capture of order-{n}") for n in range(3)]
    assert seen == [("/capture-batches", ["key-0", "key-1", "key-2"])]


async def test_where_a_batch_is_refused_as_such_each_capture_is_asked_alone() -> None:
    seen = list[str]()

    async def only_alone(request: web.Request) -> web.Response:
        seen.append(request.path)
        if request.path != "/captures":
            return web.json_response({"code": "invalid"}, status=422)
        key = request.headers["Idempotency-Key"]
        return web.json_response({"id": f"capture of {key}", "outcome": "approved"}, status=201)

    async with provider(only_alone) as http:
        answers = await captured(http)
    assert answers == [Answer(ProviderOutcome.APPROVED, f"capture of key-{n}") for n in range(3)]
    assert seen == ["/capture-batches", "/captures", "/captures", "/captures"]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_batch_that_fails_is_one_failure_and_leaves_every_effect_unknown(status: int) -> None:
    async with provider(always(status, {"code": "outage"})) as http:
        reasons = [[answer.reason for answer in await captured(http)] for _ in range(3)]
    assert reasons == [["outage"] * 3, ["outage"] * 3, ["circuit_open"] * 3]
