"""What ops are told when a sink's target is away."""

import asyncio
import uuid
from typing import Any

import httpx

from sinks.run import run_sinks
from tests.eventually import eventually_async
from tests.unit.sinks.messages import cart, event
from topics import registry as t
from topics.producer import MessageProducer
from topics.settings import Settings


async def test_a_target_that_is_away_is_named_with_its_error_and_attempts(
    api: httpx.AsyncClient, api_settings: Settings, staff: dict[str, str]
) -> None:
    key = str(uuid.uuid4())
    async with MessageProducer(api_settings, "test") as producer:
        await producer.send_and_wait(t.CART_UPDATED, key, event(t.CART_UPDATED, key, 1, cart("a")))
    away = api_settings.model_copy(update={"redis": "redis://127.0.0.1:9/0", "elasticsearch": None})
    stop = asyncio.Event()
    running = asyncio.create_task(run_sinks(away, stop))

    async def health() -> dict[str, Any]:
        found: dict[str, Any] = (await api.get("/api/v1/services/health")).json()
        return found

    try:
        body = await eventually_async(
            health,
            lambda found: "away, attempt" in str(found["services"].get("sink")),
        )
        (sink,) = body["services"]["sink"]
        assert (body["healthy"], sink["healthy"], sink["details"]["postgres"]) == (False, False, "up")
        assert "ConnectionError" in sink["details"]["redis"]
        assert "127.0.0.1:9" in sink["details"]["redis"]
        assert body["missing"] == ["outbox", "payment-gateway", "worker"]
        page = (await api.get("/ops/tables", headers=staff)).text
        assert "<b>redis</b> away, attempt" in page
        assert page.count("no answer") == len(body["missing"])
    finally:
        stop.set()
        await running
