"""The whole platform, started as a newcomer starts it, and a real browser in front of it."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from schemas.inventory import InventoryReceive
from schemas.product import ProductCreate, ProductUpdate
from tests.eventually import eventually
from tests.stack import free_port_base
from topics.command import command
from topics.producer import MessageProducer
from topics.registry import INVENTORY_RECEIVE, PRODUCT_CREATE, PRODUCT_UPDATE
from topics.settings import Settings

ECOMMERCE = Path(sys.executable).with_name("ecommerce")
# Longer than any answer on a busy machine; a page that never gets there fails all the same.
expect.set_options(timeout=20_000)
PHONE, DESKTOP = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)


class Platform:
    """A running platform of its own."""

    def __init__(self, directory: Path) -> None:
        self.settings = Settings(data_dir=directory, port_base=free_port_base(), elasticsearch=None)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ECOMMERCE_")},
            "ECOMMERCE_DATA_DIR": str(directory),
            "ECOMMERCE_PORT_BASE": str(self.settings.port_base),
        }
        if cache := os.environ.get("ECOMMERCE_CACHE_DIR"):
            self.environment["ECOMMERCE_CACHE_DIR"] = cache

    def run(self, *arguments: str, seconds: float = 240) -> subprocess.CompletedProcess[str]:
        """Run a command of the platform and return what it printed; its failure is the test's."""
        done = subprocess.run(
            [str(ECOMMERCE), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, f"ecommerce {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done

    def get(self, path: str) -> httpx.Response:
        """Read from the API."""
        return httpx.get(f"{self.settings.api_url}{path}", timeout=10)

    def stock(self, sku: str, name: str, price: int, quantity: int, category: str = "Lighting") -> None:
        """Put a product on sale with pieces of it, and wait until shoppers see it."""

        async def send() -> None:
            async with MessageProducer(self.settings) as producer:
                made = ProductCreate(name, price, "GBP", categories=(category,))
                await producer.send_and_wait(PRODUCT_CREATE, sku, command(PRODUCT_CREATE, sku, made))
                came = InventoryReceive(f"opening-{sku}", quantity, "opening")
                await producer.send_and_wait(INVENTORY_RECEIVE, sku, command(INVENTORY_RECEIVE, sku, came))

        # Playwright's own event loop runs in this thread.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, send()).result()
        eventually(
            lambda: self.get(f"/api/v1/products/{quote(sku, safe='')}"),
            lambda answer: answer.status_code == 200 and answer.json()["available"] == quantity,
        )

    def stock_many(self, goods: list[tuple[str, str]], price: int = 100, quantity: int = 5) -> None:
        """Put many products (SKU, name) on sale at once, and wait until the last is found in stock."""

        async def send() -> None:
            async with MessageProducer(self.settings) as producer:
                for sku, name in goods:
                    made = ProductCreate(name, price, "GBP", categories=("Shelves",))
                    await producer.send_and_wait(PRODUCT_CREATE, sku, command(PRODUCT_CREATE, sku, made))
                    came = InventoryReceive(f"opening-{sku}", quantity, "opening")
                    await producer.send_and_wait(
                        INVENTORY_RECEIVE, sku, command(INVENTORY_RECEIVE, sku, came)
                    )

        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, send()).result()
        for sku, _ in goods:
            eventually(
                lambda sku=sku: self.get(f"/api/v1/products/{sku}"),  # type: ignore[misc]
                lambda answer: answer.status_code == 200 and answer.json()["available"] > 0,
            )

    def reprice(self, sku: str, price: int) -> None:
        """Change a product's price, and wait until shoppers see it."""

        async def send() -> None:
            async with MessageProducer(self.settings) as producer:
                data = ProductUpdate(price=price)
                await producer.send_and_wait(PRODUCT_UPDATE, sku, command(PRODUCT_UPDATE, sku, data))

        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, send()).result()
        eventually(
            lambda: self.get(f"/api/v1/products/{quote(sku, safe='')}").json(),
            lambda product: product["price"] == price,
        )


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    running = Platform(tmp_path_factory.mktemp("platform"))
    running.run("up")
    yield running
    running.run("reset", "--yes")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser for this folder only: while it lives, no other event loop can run in this thread."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "a Chromium is needed: apt-get install chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        yield launched
        launched.close()


Shopper = Callable[..., Page]


def is_fault(said: ConsoleMessage) -> bool:
    """Whether the page itself is at fault; a refused request is what some tests ask for."""
    return said.type == "error" and not said.text.startswith(
        ("Failed to load resource", "htmx:", "Response Status")
    )


@pytest.fixture
def shopper(platform: Platform, browser: Browser) -> Iterator[Shopper]:
    """Open the shop as somebody new: a browser context of its own, whose script errors fail the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def arrive(viewport: ViewportSize = DESKTOP, *, scripts: bool = True) -> Page:
        context = browser.new_context(
            base_url=platform.settings.api_url, viewport=viewport, java_script_enabled=scripts
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if is_fault(said) else None)
        return page

    yield arrive
    for context in contexts:
        context.close()
    assert errors == []
