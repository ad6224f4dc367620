"""The client of the payment provider's tokens, against a real HTTP server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from api.checkout.models import Card
from api.checkout.payments import ProviderTokeniser
from api.problems import Problem
from tests.stack import free_port_base

CARD = Card(card_number="4242 4242 4242 4242", expiry="12/30", cvc="123")

Answering = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass
class Asked:
    """What the provider was asked."""

    paths: list[str] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)


@asynccontextmanager
async def provider(
    answering: Answering, seconds: float = 5.0
) -> AsyncIterator[tuple[ProviderTokeniser, Asked]]:
    asked = Asked()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        asked.paths.append(request.path)
        asked.headers.append(request.headers)
        asked.bodies.append(await request.json())
        return await answering(request)

    runner = web.ServerRunner(web.Server(handle, handler_cancellation=True), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with ProviderTokeniser.client(f"http://127.0.0.1:{port}/base", "key", seconds) as client:
            yield ProviderTokeniser(client), asked
    finally:
        await runner.cleanup()


def said(status: int, document: Any = None, text: str | None = None) -> Answering:
    async def answer(_request: web.BaseRequest) -> web.StreamResponse:
        if document is not None:
            return web.json_response(document, status=status)
        return web.Response(status=status, text=text)

    return answer


async def test_the_card_is_exchanged_for_a_token() -> None:
    async with provider(said(201, {"token": "tok_1", "last4": "4242"})) as (tokeniser, asked):
        assert await tokeniser.token(CARD, "order-1") == "tok_1"
    assert asked.paths == ["/base/tokens"]
    assert asked.headers[0]["Authorization"] == "Bearer key"
    assert asked.bodies[0] == {
        "card_number": "4242424242424242",
        "expiry": "12/30",
        "cvc": "123",
        "order_id": "order-1",
    }, "it pays for this order alone"


async def refusal(answering: Answering, seconds: float = 5.0) -> Problem:
    async with provider(answering, seconds) as (tokeniser, _):
        with pytest.raises(Problem) as refused:
            await tokeniser.token(CARD, "order-1")
    assert "4242" not in str(refused.value)
    return refused.value


@pytest.mark.parametrize(
    ("answering", "status", "field_"),
    [
        (
            said(422, {"errors": [{"field": "card_number", "rule": "luhn", "message": "not a card"}]}),
            422,
            "payment.card_number",
        ),
        (said(422, {"errors": [{"field": "x", "rule": "r", "message": "m"}]}), 422, "payment"),
        (said(400, text="no"), 422, "payment"),
        (said(429), 503, None),
        (said(500), 503, None),
        (said(307), 503, None),
        (said(200, text="no token"), 503, None),
        (said(200, {"tokens": []}), 503, None),
    ],
)
async def test_refusals_name_the_field_and_breakdowns_the_provider(
    answering: Answering, status: int, field_: str | None
) -> None:
    refused = await refusal(answering)
    assert refused.status == status
    assert [error.field for error in refused.errors or []] == ([field_] if field_ else [])


async def test_a_provider_that_does_not_answer_in_time_is_not_available() -> None:
    async def slow(_request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(30)
        raise AssertionError

    assert (await refusal(slow, seconds=0.1)).status == 503


async def test_a_provider_that_is_not_there_is_not_available() -> None:
    async with ProviderTokeniser.client(f"http://127.0.0.1:{free_port_base()}", None) as client:
        with pytest.raises(Problem) as refused:
            await ProviderTokeniser(client).token(CARD, "order-1")
    assert refused.value.status == 503
    assert "4242" not in str(refused.value)


async def test_a_kept_connection_that_ends_is_made_anew() -> None:
    """A provider may close a connection just when it is asked over it."""
    ends = iter((False, True, False, True, True))

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if next(ends):
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"token": "tok_1"})

    async with provider(answer) as (tokeniser, asked):
        assert await tokeniser.token(CARD, "order-1") == "tok_1"
        assert await tokeniser.token(CARD, "order-1") == "tok_1"
        assert len(asked.paths) == 3
        with pytest.raises(Problem) as refused:
            await tokeniser.token(CARD, "order-1")
    assert refused.value.status == 503


def test_a_card_does_not_show_itself() -> None:
    assert "4242" not in repr(CARD)
    assert "123" not in repr(CARD)
