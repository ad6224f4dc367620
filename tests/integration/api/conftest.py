"""The API on real servers, served by uvicorn in the test's own loop, and a stand-in for the dataflow."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.auth.staff import make_staff
from api.connections.settings import ConnectionSettings
from api.run import options
from api.settings import ApiSettings
from deploy.embedded.sockets import bindable
from deploy.run.migrate import bring_up_to_date
from tests.eventually import eventually_async
from tests.integration.api.dataflow import Dataflow
from tests.integration.api.provider import serve_provider
from tests.integration.api.sinking import sinking
from topics.connection import KafkaOptions
from topics.settings import PortOffset, Settings

PASSWORD = "a long enough phrase"


@pytest.fixture
def api_settings(
    settings: Settings,
    postgres: str,  # noqa: ARG001 (settings take its database)
    redis_url: str,  # noqa: ARG001 (settings take its database)
    topics_created: KafkaOptions,  # noqa: ARG001 (the topics are there)
) -> Settings:
    bring_up_to_date(settings)
    return settings


@asynccontextmanager
async def serving(app: FastAPI, port: int) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        lifespan="on",
        **{**options(ApiSettings(), ConnectionSettings()), "timeout_graceful_shutdown": 1},
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(30):
        while not server.started:
            if task.done():
                task.result()
                raise AssertionError("the server ended before it began")
            await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def provider() -> AsyncIterator[str]:
    async with serve_provider() as url:
        yield url


@pytest.fixture
async def api(api_settings: Settings, provider: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = api_settings.model_copy(update={"payment_provider": provider})
    port = settings.port(PortOffset.API)
    assert bindable("127.0.0.1", port)
    async with (
        serving(create_app(settings, ApiSettings()), port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        yield client


@pytest.fixture
async def dataflow(api_settings: Settings) -> AsyncIterator[Dataflow]:
    async with sinking(api_settings), Dataflow(api_settings) as running:
        yield running


@pytest.fixture
async def database(api_settings: Settings) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(api_settings.postgres_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def staff(api: httpx.AsyncClient, api_settings: Settings) -> dict[str, str]:
    email = f"staff-{uuid.uuid4().hex}@example.com"
    await make_staff(api_settings, email, PASSWORD)
    answer = await api.post("/api/v1/login", json={"email": email, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture
async def customer(api: httpx.AsyncClient) -> dict[str, str]:
    body = {"email": f"customer-{uuid.uuid4().hex}@example.com", "password": PASSWORD}
    assert (await api.post("/api/v1/register", json=body)).status_code == 201
    answer = await api.post("/api/v1/login", json=body)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture
async def product(
    api: httpx.AsyncClient,
    dataflow: Dataflow,  # noqa: ARG001 (it answers)
    staff: dict[str, str],
) -> str:
    """A product at 295 with ten pieces, as soon as the views have it."""
    sku = f"SKU-{uuid.uuid4().hex[:10]}"
    headers = {**staff, "Prefer": "wait=10"}
    made = await api.post(
        "/api/v1/products", json={"sku": sku, "name": "Paper heart", "price": 295}, headers=headers
    )
    assert made.status_code == 201, made.text
    received = await api.post(f"/api/v1/inventory/{sku}/receive", json={"quantity": 10}, headers=headers)
    assert received.status_code == 200, received.text

    async def available() -> int:
        answer = await api.get(f"/api/v1/products/{sku}")
        return answer.json()["available"] if answer.status_code == 200 else 0

    await eventually_async(available, lambda count: count == 10)
    return sku
