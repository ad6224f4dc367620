"""Staff find a poisoned record in a browser, mend it and send it on its way; nobody else may."""

import re
from typing import Any

import httpx
import msgspec
import pytest
from confluent_kafka import Producer
from playwright.sync_api import Page, expect

from api.auth.guests import new_guest_secret
from tests.e2e.conftest import DESKTOP, PHONE, Platform, Shopper
from tests.eventually import eventually
from tests.guests import Guests
from topics.connection import librdkafka_options
from topics.registry import CART_ADD

PASSWORD = "a long enough phrase"
STICKING_OUT = """[...document.querySelectorAll("main *")]
    .filter((each) => each.getBoundingClientRect().right > innerWidth)
    .map((each) => each.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def staff(platform: Platform) -> str:
    email = "ops@example.com"
    platform.run("staff", email, "--password", PASSWORD)
    return email


@pytest.fixture
def secret() -> str:
    """What only the cart's guest knows."""
    return new_guest_secret()


@pytest.fixture
def poisoned(platform: Platform, secret: str) -> str:
    """A cart whose command cannot be decoded; returns the cart's id."""
    cart_id = Guests(platform.settings).cart(secret)
    producer = Producer(librdkafka_options(platform.settings))
    producer.produce(CART_ADD.name, b"poison", cart_id, headers={"traceparent": b"00-abc"})
    assert producer.flush(30) == 0
    return cart_id


def cart_of(platform: Platform, secret: str) -> dict[str, Any]:
    """The cart as its guest sees it."""
    url = f"{platform.settings.api_url}/api/v1/cart"
    found: dict[str, Any] = httpx.get(url, headers={"X-Cart-Id": secret}, timeout=10).json()
    return found


def log_in(page: Page, email: str, path: str) -> None:
    """Ask for a page that is for staff, and get there by way of the login."""
    page.goto(path)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**{path}")


def look_up(page: Page, cart_id: str) -> None:
    def listed() -> int:
        page.goto("/ops/dead-letters")
        page.get_by_role("link", name="undecodable").click()
        return page.get_by_role("cell", name=cart_id).count()

    def waiting() -> int:
        page.goto("/ops/dead-letters")
        return page.get_by_role("cell", name=cart_id).count()

    eventually(waiting, seconds=60)
    assert listed() == 1
    page.get_by_role("row").filter(has_text=cart_id).get_by_role("link").click()
    expect(page.get_by_text("magic byte is 112").first).to_be_visible()


def test_a_poisoned_record_is_found_mended_and_applied_once(
    platform: Platform, shopper: Shopper, staff: str, poisoned: str, secret: str
) -> None:
    platform.stock("MENDED-1", "Mended Mug", 500, 5)
    page = shopper(DESKTOP)
    log_in(page, staff, "/ops/dead-letters")
    look_up(page, poisoned)
    expect(page.get_by_text("Traceback").first).to_be_visible()
    page.get_by_text("Edit it first").click()
    box = page.get_by_label("Message")
    message = msgspec.json.decode(box.input_value())

    box.fill("{}")
    page.get_by_role("button", name="Send edited").click()
    expect(page.get_by_role("alert")).to_contain_text("missing required field")

    message["data"] = {"lines": [{"line_id": "MENDED-1", "sku": "MENDED-1", "quantity": 2}]}
    page.get_by_label("Message").fill(msgspec.json.encode(message).decode())
    page.get_by_role("button", name="Send edited").click()
    expect(page.get_by_text("redriven")).to_be_visible()
    expect(page.get_by_text(f"by {staff}")).to_be_visible()
    expect(page.get_by_role("button", name="Send as it was")).to_have_count(0)
    cart = eventually(lambda: cart_of(platform, secret), lambda found: bool(found.get("items")), seconds=60)
    assert [(line["sku"], line["quantity"]) for line in cart["items"]] == [("MENDED-1", 2)]


def test_a_record_that_nobody_needs_is_discarded_with_the_reason(
    shopper: Shopper, staff: str, poisoned: str
) -> None:
    page = shopper(PHONE)
    log_in(page, staff, "/ops/dead-letters")
    look_up(page, poisoned)
    widths = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths[0] <= widths[1]
    assert page.evaluate(STICKING_OUT) == [], "nor is anything cut off within it"
    assert page.get_by_role("navigation").bounding_box()["height"] < 40, "one line, to log out as well"  # type: ignore[index]
    page.get_by_label("Why nobody needs it").fill("a test of the importer")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text(re.compile(f"by {staff}: a test of the importer"))).to_be_visible()
    page.goto("/ops/dead-letters")
    expect(page.get_by_role("cell", name=poisoned)).to_have_count(0)
    page.get_by_role("link", name=re.compile("Also what was")).click()
    expect(page.get_by_role("row").filter(has_text=poisoned).get_by_text("discarded")).to_be_visible()
