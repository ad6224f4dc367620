"""Commands are refused while nobody reads them, and what was accepted before is processed in the end."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.settings import ApiSettings
from api.wiring import open_redis
from tests.eventually import eventually_async
from tests.integration.api.conftest import serving
from tests.integration.api.test_whole_path import running
from topics.settings import PortOffset, Settings

LIMIT = 40
PATIENCE_S = 120


async def clear(client: httpx.AsyncClient) -> tuple[httpx.Response, dict[str, str]]:
    owner = {"X-Cart-Id": str(uuid.uuid4())}
    return await client.delete("/api/v1/cart", headers=owner), owner


@pytest.mark.timeout(400)
async def test_commands_are_refused_while_no_worker_reads_them_and_none_accepted_is_lost(
    api_settings: Settings,
) -> None:
    limits = ApiSettings(backlog_records=LIMIT, watch_seconds=0.1)
    port = api_settings.port(PortOffset.API)
    accepted: dict[str, dict[str, str]] = {}

    async def fate(client: httpx.AsyncClient) -> httpx.Response:
        answer, owner = await clear(client)
        if answer.status_code == 202:
            accepted[answer.json()["command_id"]] = owner
        return answer

    async with (
        serving(create_app(api_settings, limits), port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):

        async def admitted() -> int:
            return (await fate(client)).status_code

        async def refused() -> httpx.Response:
            return await fate(client)

        async def outcomes() -> list[Any]:
            found = [
                (await client.get(f"/api/v1/commands/{each}", headers=owner)).json()["status"]
                for each, owner in accepted.items()
            ]
            return [status for status in found if status == "accepted"]

        async with running(api_settings, "worker"):
            # Other tests may have left commands that nobody has read.
            await eventually_async(admitted, lambda status: status == 202, PATIENCE_S)
            await eventually_async(outcomes, lambda open_ones: not open_ones, PATIENCE_S)

        answer = await eventually_async(refused, lambda one: one.status_code == 503, PATIENCE_S)
        assert answer.json()["type"] == "urn:ecommerce:problem:overloaded"
        assert answer.json()["reason"] == "backlog_records"
        assert int(answer.headers["Retry-After"]) >= 1
        assert len(accepted) >= LIMIT
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/api/v1/cart", headers={"X-Cart-Id": str(uuid.uuid4())})).status_code == 200
        # It stays closed: nobody reads.
        assert {(await fate(client)).status_code for _ in range(5)} == {503}

        async with running(api_settings, "worker"):
            await eventually_async(admitted, lambda status: status == 202, PATIENCE_S)
            await eventually_async(outcomes, lambda open_ones: not open_ones, PATIENCE_S)


async def test_a_burst_waits_for_a_connection_to_redis_instead_of_failing(redis_url: str) -> None:
    redis = open_redis(redis_url)
    try:
        await asyncio.gather(*(redis.set(f"burst-{number}", b"1") for number in range(500)))
        assert await redis.dbsize() == 500
    finally:
        await redis.aclose()


async def test_redis_drops_what_nobody_asked_for_instead_of_growing(redis_url: str) -> None:
    redis = open_redis(redis_url)
    try:
        memory = await redis.info("memory")
    finally:
        await redis.aclose()
    assert (memory["maxmemory"], memory["maxmemory_policy"]) == (1 << 30, "volatile-lru")
