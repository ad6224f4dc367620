"""Finding products by keyboard and on a phone, coming back to the place, and being told what failed."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PHONE, Platform, Shopper

TOTAL = 60


@pytest.fixture(scope="module")
def shelf(platform: Platform) -> str:
    """A long shelf of its own category."""
    platform.stock_many([(f"SHELF-{number:03d}", f"Shelf Item {number:03d}") for number in range(TOTAL)])
    return "/?q=Shelf+Item&sort=name"


def test_a_filter_by_keyboard_keeps_the_focus_and_is_announced(shopper: Shopper, shelf: str) -> None:
    page = shopper()
    page.goto(shelf)
    box = page.get_by_label("In stock only")
    box.focus()
    box.press("Space")
    page.wait_for_url("**in_stock=1**")
    expect(page.locator(".shop.htmx-request")).to_have_count(0)
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    expect(page.locator("#found[role=status]")).to_contain_text("products")


def test_back_from_a_product_keeps_the_place(shopper: Shopper, shelf: str) -> None:
    page = shopper()
    page.goto(shelf)
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(24)
    tiles.last.scroll_into_view_if_needed()
    expect(tiles).to_have_count(48)
    tiles.nth(40).scroll_into_view_if_needed()
    expect(tiles).to_have_count(TOTAL)
    chosen = tiles.nth(40)
    name = chosen.locator(".name").inner_text()
    chosen.click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name=name)).to_be_in_viewport()


def test_on_a_phone_a_filter_says_that_it_worked(shopper: Shopper, shelf: str) -> None:
    page = shopper(PHONE)
    page.goto(shelf)
    page.get_by_text("Filters").click()
    page.get_by_label("In stock only").check()
    expect(page.locator(".facets summary .badge")).to_have_text("1")
    see = page.get_by_role("link", name="See 60 products")
    expect(see).to_be_in_viewport()
    see.click()
    expect(page.locator(".tile").first).to_be_in_viewport()


def test_a_failure_to_add_is_said(shopper: Shopper, shelf: str) -> None:
    del shelf
    page = shopper()
    page.goto("/products/SHELF-001")
    add = page.get_by_role("button", name="Add to cart")
    page.context.set_offline(True)
    add.click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.context.set_offline(False)
    page.route("**/cart/items", lambda route: route.fulfill(status=503, body="{}"))
    add.click()
    expect(page.get_by_role("alert")).to_contain_text("very busy")
    page.unroute("**/cart/items")
    page.get_by_label("Quantity").fill("100000")
    add.click()
    expect(page.get_by_text("Added to your cart")).to_be_visible()
    add.click()
    expect(page.get_by_role("alert")).to_contain_text("At most 100,000")
