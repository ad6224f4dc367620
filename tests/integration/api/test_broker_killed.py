"""The API while its broker is killed, again and again: it waits, and serves on in the same process."""

import httpx
import pytest

from tests.eventually import eventually_async
from tests.integration.api.test_whole_path import running
from tests.stack import Stack
from topics.settings import PortOffset, Settings

KILLS = 3


@pytest.mark.timeout(180)
async def test_the_api_outlives_its_broker(
    stack: Stack, api_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks without a pause where groups stand, so that some question is always under way."""
    monkeypatch.setenv("ECOMMERCE_API_WATCH_SECONDS", "0.001")
    port = api_settings.port(PortOffset.API)
    broker = stack.kafka()
    async with (
        running(api_settings, "api") as process,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):

        async def ready() -> bool:
            assert process.returncode is None, "the process ended"
            try:
                return (await client.get("/health/ready")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually_async(ready, seconds=60)
        for _ in range(KILLS):
            broker.kill()
            await eventually_async(ready, lambda serves: not serves, seconds=60)
            broker.start()
            await eventually_async(ready, seconds=60)
