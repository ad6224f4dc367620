"""The purchase through every real process: worker, sinks, payment gateway, simulated provider, API."""

import asyncio
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from api.app import create_app
from api.auth.staff import make_staff
from tests.eventually import eventually_async
from tests.integration.api.conftest import PASSWORD, serving
from tests.integration.api.test_orders import checkout_body, key
from topics.settings import PortOffset, Settings

PROCESSES = ("provider", "payment-gateway", "worker", "sink", "outbox")
WAIT = {"Prefer": "wait=30"}


@asynccontextmanager
async def running(settings: Settings, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        **os.environ,
        "ECOMMERCE_PORT_BASE": str(settings.port_base),
        "ECOMMERCE_DATA_DIR": str(settings.data_dir),
        "ECOMMERCE_CREDENTIALS": str(settings.credentials_file),
        "ECOMMERCE_POSTGRES": settings.postgres_dsn,
        "ECOMMERCE_REDIS": settings.redis_url,
        "ECOMMERCE_PAYMENT_PROVIDER_KEY": str(settings.provider_key),
    }
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (settings.data_dir / f"{name}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).parent / "ecommerce", name, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
        assert process.returncode is None, (settings.data_dir / f"{name}.log").read_text()[-3000:]
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 30)
        except TimeoutError:
            process.kill()
            await process.wait()


@pytest.fixture
def api_settings(api_settings: Settings) -> Settings:
    """The provider and those who ask it share a key, as `ecommerce up` makes one for them."""
    return api_settings.model_copy(update={"payment_provider_key": SecretStr(uuid.uuid4().hex)})


@pytest.fixture
async def shop(api_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    port = api_settings.port(PortOffset.API)
    async with (
        running(api_settings, PROCESSES[0]),
        running(api_settings, PROCESSES[1]),
        running(api_settings, PROCESSES[2]),
        running(api_settings, PROCESSES[3]),
        running(api_settings, PROCESSES[4]),
        serving(create_app(api_settings), port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):

        async def health() -> dict[str, Any]:
            found: dict[str, Any] = (await client.get("/api/v1/services/health")).json()
            return found

        await eventually_async(health, lambda found: found["healthy"] is True, 120)
        yield client


@pytest.mark.timeout(300)
async def test_a_cart_becomes_an_order_that_is_paid_shipped_and_seen_in_the_views(
    shop: httpx.AsyncClient, api_settings: Settings
) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    await make_staff(api_settings, email, PASSWORD)
    login = await shop.post("/api/v1/login", json={"email": email, "password": PASSWORD})
    staff = {"Authorization": f"Bearer {login.json()['access_token']}", **WAIT}
    sku = f"SKU-{uuid.uuid4().hex[:10]}"
    made = await shop.post(
        "/api/v1/products", json={"sku": sku, "name": "Heart", "price": 295}, headers=staff
    )
    assert made.status_code == 201, made.text
    stocked = await shop.post(f"/api/v1/inventory/{sku}/receive", json={"quantity": 3}, headers=staff)
    assert stocked.json()["available"] == 3, stocked.text

    async def on_sale() -> int:
        return (await shop.get(f"/api/v1/products/{sku}")).status_code

    await eventually_async(on_sale, lambda status: status == 200)

    added = await shop.post("/api/v1/cart/items", json={"sku": sku, "quantity": 2}, headers=WAIT)
    assert (added.status_code, added.json()["subtotal"]) == (200, 590), added.text
    guest = {"X-Cart-Id": added.headers["X-Cart-Id"], **WAIT}
    shop.cookies.clear()
    began = time.perf_counter()
    seen = {"cart_version": added.json()["version"], "total": added.json()["total"]}
    declined = await shop.post(
        "/api/v1/checkout", json=checkout_body("4000000000000002", **seen), headers={**guest, **key()}
    )
    assert (declined.status_code, declined.json()["reason"]) == (402, "payment_failed"), declined.text

    async def cart_status() -> str:
        return str((await shop.get("/api/v1/cart", headers=guest)).json()["status"])

    await eventually_async(cart_status, lambda status: status == "open")
    bought = await shop.post("/api/v1/checkout", json=checkout_body(**seen), headers={**guest, **key()})
    assert (bought.status_code, bought.json()["status"]) == (201, "confirmed"), bought.text
    assert time.perf_counter() - began < 60
    url = bought.headers["Location"]

    async def order() -> dict[str, Any]:
        found: dict[str, Any] = (await shop.get(url, headers=guest)).json()
        return found

    await eventually_async(order, lambda found: found["payment_status"] == "captured")
    for status in ("processing", "shipped", "delivered"):
        moved = await shop.post(f"{url}/status", json={"status": status}, headers=staff)
        assert (moved.status_code, moved.json()["status"]) == (200, status), moved.text
    events = await shop.get(f"{url}/events", headers=guest)
    told = [line.removeprefix("event: ") for line in events.text.splitlines() if line.startswith("event: ")]
    assert told == [f"order.{step}" for step in ("placed", "confirmed", "processing", "shipped", "delivered")]

    async def level() -> dict[str, Any]:
        found: dict[str, Any] = (await shop.get(f"/api/v1/inventory/{sku}", headers=staff)).json()
        return found

    after = await eventually_async(level, lambda found: found["committed"] == 2)
    assert (after["on_hand"], after["reserved"], after["available"]) == (1, 0, 1)
    lag = await shop.get("/api/v1/ops/lag", headers=staff)
    assert {group["group"] for group in lag.json()["groups"]} >= {"ecommerce.streams"}
