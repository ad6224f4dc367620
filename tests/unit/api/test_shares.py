"""One who asks for more than a share gets 429, and others nothing of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
import structlog

from api.app import create_app
from api.order.models import OrderEvent
from api.order.snapshots import of_snapshot
from api.problems import unavailable
from api.settings import ApiSettings
from schemas.order import OrderStatus
from tests.eventually import eventually_seen
from tests.unit.api.buying import BODY, snapshot
from tests.unit.api.conftest import World
from tests.unit.api.test_admission import Held

ITEM = {"sku": "A", "quantity": 1}
PLACE = "/api/v1/cart/items"


@pytest.fixture
def limits() -> ApiSettings:
    return ApiSettings(in_hand_commands=40, unanswered_commands=60, owner_commands=8, follow_seconds=60)


@asynccontextmanager
async def calling(world: World, limits: ApiSettings, address: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(world.services.settings, limits, world.services)
    transport = httpx.ASGITransport(app=app, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as opened:
        yield opened


def guest() -> dict[str, str]:
    return {"X-Cart-Id": str(uuid4())}


async def told(answers: list[Any]) -> dict[int, int]:
    statuses = [answer.status_code for answer in await asyncio.gather(*answers)]
    return {status: statuses.count(status) for status in set(statuses)}


async def test_three_hundred_connections_of_one_guest_refuse_nobody_else(
    world: World, limits: ApiSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, me = Held(world.broker, monkeypatch), guest()
    async with calling(world, limits, "10.0.0.1") as client:
        mine = [asyncio.create_task(client.post(PLACE, json=ITEM, headers=me)) for _ in range(300)]
        assert await eventually_seen(lambda: sum(task.done() for task in mine), lambda done: done == 292)
        # Of the same address, and so behind the same router, are others.
        others = [asyncio.create_task(client.post(PLACE, json=ITEM, headers=guest())) for _ in range(10)]
        await asyncio.sleep(0)
        held.let.set()
        assert await told(others) == {202: 10}
        refused = next(task.result() for task in mine if task.result().status_code == 429)
        assert await told(mine) == {202: 8, 429: 292}
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json()["reason"] == "commands_of_a_cart_or_user"


async def test_a_hundred_refusals_are_a_few_lines(world: World, limits: ApiSettings) -> None:
    world.services.gate.see(loop_seconds=10**9)
    async with calling(world, limits, "10.0.0.1") as client:
        with structlog.testing.capture_logs() as lines:
            began = time.monotonic()
            for _ in range(100):
                assert (await client.post(PLACE, json=ITEM)).status_code == 503
            seconds = time.monotonic() - began
    told = [line for line in lines if line["event"] == "request"]
    assert 1 <= len(told) <= seconds + 2
    assert sum(line.get("of", 1) for line in told) >= 1


async def test_one_address_with_many_carts_has_half_of_what_is_in_hand(
    world: World, limits: ApiSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(world.broker, monkeypatch)
    async with calling(world, limits, "10.0.0.1") as client, calling(world, limits, "10.0.0.2") as neighbour:
        mine = [asyncio.create_task(client.post(PLACE, json=ITEM, headers=guest())) for _ in range(300)]
        assert await eventually_seen(lambda: sum(task.done() for task in mine), lambda done: done == 280)
        others = [asyncio.create_task(neighbour.post(PLACE, json=ITEM, headers=guest())) for _ in range(20)]
        assert await eventually_seen(lambda: world.services.gate.hand.full)
        held.let.set()
        assert await told(others) == {202: 20}
        assert await told(mine) == {202: 20, 429: 280}


async def test_checkouts_that_wait_for_lines_which_never_come_close_the_shop_to_nobody_else(
    world: World, limits: ApiSettings
) -> None:
    body = {**BODY, "expected_lines": 500}
    async with calling(world, limits, "10.0.0.1") as client, calling(world, limits, "10.0.0.2") as neighbour:

        async def buy() -> httpx.Response:
            key = {"Idempotency-Key": str(uuid4())}
            return await client.post("/api/v1/checkout", json=body, headers={**guest(), **key})

        answers = [await buy() for _ in range(70)]
        assert [answer.status_code for answer in answers] == [202] * 30 + [429] * 40
        world.services.gate.look(0.0)
        assert (await neighbour.post(PLACE, json=ITEM, headers=guest())).status_code == 202
        assert answers[-1].json()["reason"] == "unanswered_commands_of_a_client"


async def test_an_outcome_gives_the_share_back(world: World, limits: ApiSettings) -> None:
    me = guest()
    async with calling(world, limits, "10.0.0.1") as client:
        statuses = [(await client.post(PLACE, json=ITEM, headers=me)).status_code for _ in range(9)]
        assert statuses == [202] * 8 + [429]
        await world.services.commands.close()
        assert (await client.post(PLACE, json=ITEM, headers=me)).status_code == 202
    await world.services.commands.close()
    shares = world.services.gate.shares
    assert not any(
        share._held for share in (shares.client_unanswered, shares.owner_unanswered, shares.requests)
    )


async def test_event_streams_beyond_a_share_are_refused_and_the_others_given_back(
    world: World, limits: ApiSettings
) -> None:
    me, order = guest(), str(uuid4())
    world.orders.known[order] = (
        f"cart:{world.cart_of(me)}",
        of_snapshot(order, 1, snapshot(OrderStatus.PLACED)),
    )
    place = f"/api/v1/orders/{order}/events"
    async with calling(world, limits, "10.0.0.1") as client:
        streams = [asyncio.create_task(client.get(place, headers=me)) for _ in range(500)]
        refused = 500 - limits.owner_streams
        assert await eventually_seen(
            lambda: sum(each.done() for each in streams), lambda done: done == refused
        )
        answers = [each.result() for each in streams if each.done()]
        assert {answer.status_code for answer in answers} == {429}
        assert {answer.json()["reason"] for answer in answers} == {"event_streams_of_a_cart_or_user"}
        for each in streams:
            each.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    gate = world.services.gate
    assert not any(
        share._held for share in (gate.streams, gate.shares.owner_streams, gate.shares.client_streams)
    )


async def test_a_stream_ends_without_a_fault_where_the_views_go_away(
    world: World, limits: ApiSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, order = guest(), str(uuid4())
    world.orders.known[order] = (
        f"cart:{world.cart_of(me)}",
        of_snapshot(order, 1, snapshot(OrderStatus.PLACED)),
    )

    async def away(*_: object) -> list[OrderEvent]:
        raise unavailable("the database of views")

    monkeypatch.setattr(world.orders, "events", away)
    async with calling(world, limits, "10.0.0.1") as client:
        with structlog.testing.capture_logs() as lines:
            answer = await client.get(f"/api/v1/orders/{order}/events", headers=me)
    assert (answer.status_code, answer.content) == (200, b"")
    assert not [line for line in lines if line["log_level"] == "error"]


async def test_more_lines_are_expected_of_nobody_than_a_cart_takes(world: World, limits: ApiSettings) -> None:
    async with calling(world, limits, "10.0.0.1") as client:
        answer = await client.post(
            "/api/v1/checkout",
            json={**BODY, "expected_lines": 9999},
            headers={**guest(), "Idempotency-Key": "k"},
        )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "expected_lines")
