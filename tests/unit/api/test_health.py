import asyncio
from typing import Any

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError
from confluent_kafka import KafkaException

from api.health import services
from api.health import standing as watched
from api.health.checks import moving, readiness
from api.health.standing import watching_readers
from schemas.envelope import Message
from schemas.service import ServicePong
from tests.eventually import eventually_async
from tests.unit.api.conftest import World
from tests.unit.api.fakes import Reply
from topics.lag import PartitionLag
from topics.registry import SERVICE_PONG
from topics.settings import Settings
from topics.standing import StandingStill


async def test_a_check_that_raises_or_hangs_is_not_ready(monkeypatch: Any) -> None:
    monkeypatch.setattr("api.health.checks._TIMEOUT_SECONDS", 0.01)

    async def fine() -> None:
        return None

    async def broken() -> None:
        raise ConnectionError("refused")

    async def hanging() -> None:
        await asyncio.Event().wait()

    found = await readiness({"kafka": fine, "postgres": broken, "redis": hanging})
    assert (found.ready, found.checks) == (False, {"kafka": True, "postgres": False, "redis": False})


async def test_a_partition_that_stands_still_is_not_ready_and_is_named() -> None:
    standing = StandingStill(1)
    for now in (0.0, 2.0):
        standing.look(now, [PartitionLag("ecommerce.streams", "t", 3, 7, 9, 2, 0.0)])
    found = await readiness({"dataflow": moving(standing, ["ecommerce.streams"])}, standing)
    assert (found.ready, found.checks) == (False, {"dataflow": False})
    assert found.standing == ["ecommerce.streams stands still at t/3/7 for 2 s, 2 records wait"]
    standing.look(3.0, [PartitionLag("ecommerce.streams", "t", 3, 8, 9, 1, 0.0)])
    assert (await readiness({"dataflow": moving(standing, ["ecommerce.streams"])}, standing)).ready


async def test_answers_are_gathered_by_service_and_instance(client: httpx.AsyncClient, world: World) -> None:
    def reply(message: Message[Any]) -> list[Reply]:
        ping = message.data.ping_id
        pongs = [
            ("worker", "w-0", True),
            ("worker", "w-1", True),
            ("sink", "s-0", True),
            ("worker", "w-0", True),
        ]
        return [
            (SERVICE_PONG, ping, ServicePong(ping, service, instance, healthy, 1, {"n": "1"}), 0)
            for service, instance, healthy in pongs
        ]

    world.broker.reply = reply
    body = (await client.get("/api/v1/services/health")).json()
    assert body["healthy"] is True
    assert {name: [each["instance"] for each in found] for name, found in body["services"].items()} == {
        "worker": ["w-0", "w-1"],
        "sink": ["s-0"],
    }


async def test_a_missing_or_sick_service_is_not_healthy(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "_FRESH_SECONDS", 0)
    body = (await client.get("/api/v1/services/health")).json()
    assert (body["healthy"], body["missing"]) == (False, ["worker"])
    world.broker.reply = lambda message: [
        (
            SERVICE_PONG,
            message.data.ping_id,
            ServicePong(message.data.ping_id, "worker", "w-0", healthy=False, started_at=1),
            0,
        )
    ]
    body = (await client.get("/api/v1/services/health")).json()
    assert (body["healthy"], body["missing"]) == (False, [])


async def test_all_who_ask_within_a_second_share_one_ping(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A second is short on a machine that is busy.
    monkeypatch.setattr(services, "_FRESH_SECONDS", 600)
    asked = [client.get("/api/v1/services/health") for _ in range(200)]
    assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
    assert len(world.broker.sent) == 1
    assert (await client.get("/api/v1/services/health")).status_code == 200
    assert len(world.broker.sent) == 1


async def test_a_ping_that_the_broker_does_not_take_is_503_for_all_who_asked(
    client: httpx.AsyncClient, world: World
) -> None:
    world.broker.error = KafkaConnectionError()
    asked = [client.get("/api/v1/services/health") for _ in range(20)]
    assert {answer.status_code for answer in await asyncio.gather(*asked)} == {503}


async def test_a_view_that_stands_still_is_named_and_the_api_serves() -> None:
    standing = StandingStill(1)
    for now in (0.0, 2.0):
        standing.look(now, [PartitionLag("ecommerce.sink.redis", "t", 0, 7, 9, 2, 0.0)])
    found = await readiness({"dataflow": moving(standing, ["ecommerce.streams"])}, standing)
    assert (found.ready, len(found.standing)) == (True, 1)


async def test_readers_are_followed_with_what_they_are_known_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    still = [PartitionLag("g", "t", 0, 7, 9, 2, 0.0)]

    def lag(_settings: Settings, names: list[str], **given: Any) -> list[PartitionLag]:
        asked.append((names, given["reads"]))
        if len(asked) == 1:
            raise KafkaException("away")
        return still

    monkeypatch.setattr(watched, "lag", lag)
    standing = StandingStill(0)
    async with watching_readers(standing, Settings(), ["g"], {"g": ["t"], "other": ["x"]}, every_s=0.001):
        await eventually_async(lambda: asyncio.sleep(0, standing.found), bool)
    assert asked[0] == (["g"], {"g": ["t"]})
