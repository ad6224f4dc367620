"""An order's page tells where the order and its money stand, live and after a reload, in every state."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PHONE, Platform, Shopper
from tests.e2e.test_purchase import APPROVED, check_out, put_into_cart, step

PASSWORD = "a long enough phrase"


@pytest.fixture(scope="module")
def desk(platform: Platform) -> Iterator[httpx.Client]:
    """Staff, at the API."""
    email = "shipping@example.com"
    platform.run("staff", email, "--password", PASSWORD)
    base = f"{platform.settings.api_url}/api/v1"
    told = httpx.post(f"{base}/login", json={"email": email, "password": PASSWORD}, timeout=20)
    token = told.json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Prefer": "wait=20"}
    with httpx.Client(base_url=base, headers=headers, timeout=30) as client:
        yield client


def moved(desk: httpx.Client, page: Page, status: str, **more: Any) -> None:
    """Let staff move the order whose page this is."""
    order_id = page.url.rsplit("/", 1)[1]
    answer = desk.post(f"/orders/{order_id}/status", json={"status": status, **more})
    assert answer.status_code == 200, answer.text


def both(live: Page, fresh: Page, text: str, status: str) -> None:
    """Hold that the open page gets there by itself, and that a page loaded now says and stays the same."""
    step(live, text)
    expect(live.locator(".status")).to_have_text(status)
    fresh.goto(live.url)
    step(fresh, text)
    # The stream begins where the page stands: it never takes the page back to what was.
    fresh.wait_for_load_state("networkidle")
    expect(fresh.locator(".status")).to_have_text(status)


def test_an_order_is_followed_from_placed_to_refunded(
    platform: Platform, shopper: Shopper, desk: httpx.Client
) -> None:
    sku = f"WALK-1-{uuid4()}"
    platform.stock(sku, "Walking Stick", 1500, 9)
    live = shopper()
    put_into_cart(live, sku, 2)
    check_out(live, APPROVED)
    fresh = live.context.new_page()
    both(live, fresh, "Confirmed", "confirmed")
    for status, text in (("processing", "Being packed"), ("shipped", "Shipped"), ("delivered", "Delivered")):
        more = {"tracking": "GB123456785"} if status == "shipped" else {}
        moved(desk, live, status, **more)
        both(live, fresh, text, status)
    expect(fresh.get_by_text("Tracking GB123456785")).to_be_visible()
    moved(desk, live, "refunded")
    fresh.reload()
    step(fresh, "Refunded")
    expect(fresh.locator("#money-back")).to_contain_text("£30.00 was refunded on")
    expect(fresh.locator(".status")).to_have_text("refunded")
    # The open page looks again by itself, at leisure.
    step(live, "Refunded")
    expect(live.locator("#money-back")).to_contain_text("£30.00 was refunded on", timeout=30_000)
    live.goto("/orders")
    expect(live.get_by_role("cell", name="refunded")).to_be_visible()


@pytest.mark.parametrize("processing", [False, True], ids=["held", "captured"])
def test_a_cancelled_order_says_what_becomes_of_the_money(
    platform: Platform, shopper: Shopper, desk: httpx.Client, *, processing: bool
) -> None:
    sku = f"CALLED-OFF-{uuid4()}"
    platform.stock(sku, "Umbrella Stand", 2500, 9)
    page = shopper(PHONE)
    put_into_cart(page, sku)
    check_out(page, APPROVED)
    step(page, "Confirmed")
    if processing:
        moved(desk, page, "processing")
        step(page, "Being packed")
    page.get_by_role("button", name="Cancel this order").click()
    step(page, "Cancelled")
    expect(page.get_by_role("alert")).to_contain_text("You cancelled this order.")
    # Whether the money was only held or taken by then is the provider's pace.
    ended = r"£25\.00 was refunded on" if processing else "was refunded on|Nothing was charged"
    expect(page.locator("#money-back")).to_contain_text(re.compile(ended))
    # A form that was open before: too late, in words.
    answer = page.context.request.post(f"{page.url}/cancel", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status == 409
    assert "can no longer be cancelled" in answer.text()


def test_more_than_is_left_is_told_before_and_after(platform: Platform, shopper: Shopper) -> None:
    sku = f"SCARCE-1-{uuid4()}"
    platform.stock(sku, "Scarce Sconce", 300, 91)
    page = shopper()
    put_into_cart(page, sku, 100_000)
    page.goto("/cart")
    expect(page.get_by_text("Only 91 left")).to_be_visible()
    page.get_by_role("button", name="Check out").click()
    said = "Only 91 of Scarce Sconce are left; your cart has 100,000."
    expect(page.get_by_text(said)).to_be_visible()
    check_out(page, APPROVED)
    step(page, "Cancelled")
    expect(page.get_by_role("alert")).to_contain_text(
        "There are only 91 of Scarce Sconce left, and your order asked for 100,000."
    )
    expect(page.get_by_text("100,000 \N{MULTIPLICATION SIGN} Scarce Sconce")).to_be_visible()
    page.goto("/orders")
    expect(page.get_by_role("cell", name="cancelled")).to_be_visible()
    expect(page.get_by_text("0.00")).to_have_count(0)
