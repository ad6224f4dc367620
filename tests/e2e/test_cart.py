"""The cart's form takes every click and every number, however fast they come, with scripts and without."""

import re
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.conftest import DESKTOP, PHONE, Platform, Shopper
from tests.eventually import eventually

MUG, PAGODA = "CARTMUG-1", "CART/../PAGODA"


@pytest.fixture(scope="module")
def goods(platform: Platform) -> None:
    platform.stock(MUG, "Speckled Mug", 500, 91)
    platform.stock(PAGODA, "Paper Pagoda", 300, 50)
    # Its name begins another's: "CART" and "CART/remove" are two products.
    platform.stock("CART", "Little Cart", 100, 50)
    platform.stock("CART/remove", "Cart Remover", 200, 50)


def fill(page: Page, *skus: str) -> None:
    """Begin a cart through the API, and let the browser have it."""
    base = page.context.request
    for sku in skus:
        answer = base.post(
            "/api/v1/cart/items", data={"sku": sku, "quantity": 1}, headers={"Prefer": "wait=10"}
        )
        assert answer.ok, answer.text()
    page.goto("/cart")


def quantities(page: Page) -> dict[str, int]:
    """What the cart has, as the API tells it."""
    items = page.context.request.get("/api/v1/cart").json()["items"]
    return {item["sku"]: item["quantity"] for item in items}


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_number_typed_goes_along_with_the_click_on_check_out(
    shopper: Shopper, viewport: ViewportSize
) -> None:
    page = shopper(viewport)
    fill(page, MUG)
    page.get_by_label("Quantity of Speckled Mug").click()
    # A number that cannot be had makes the page grow under the pointer while the button is held.
    for number, ends_at in (("7", "/checkout"), ("9999999", "/cart/checkout")):
        page.goto("/cart")
        page.get_by_label("Quantity of Speckled Mug").fill(number)
        page.get_by_role("button", name="Check out").click(delay=600)
        page.wait_for_url(f"**{ends_at}")
        if number == "7":
            expect(page.locator(".sum")).to_contain_text("£35.00")
    expect(page.get_by_role("alert")).to_contain_text("At most 100,000 of Speckled Mug")
    expect(page.get_by_label("Quantity of Speckled Mug")).to_have_value("9999999")
    assert quantities(page) == {MUG: 7}


@pytest.mark.usefixtures("goods")
def test_quick_arrows_all_count_and_the_field_keeps_the_focus(shopper: Shopper) -> None:
    page = shopper()
    fill(page, MUG)
    mug = page.get_by_label("Quantity of Speckled Mug")
    mug.focus()
    for _ in range(4):
        mug.press("ArrowUp")
    expect(page.locator(".sum")).to_contain_text("£25.00")
    expect(mug).to_be_focused()
    assert (mug.input_value(), quantities(page)) == ("5", {MUG: 5})
    # Typed while the last answer is on its way, and in two fields at once.
    fill(page, PAGODA)
    page.get_by_label("Quantity of Speckled Mug").fill("6")
    page.get_by_label("Quantity of Paper Pagoda").fill("4")
    page.wait_for_timeout(310)
    page.get_by_label("Quantity of Speckled Mug").fill("8")
    expect(page.locator(".sum")).to_contain_text("£52.00")
    expect(page.locator("#cart-badge")).to_have_text("12")
    assert quantities(page) == {MUG: 8, PAGODA: 4}
    # Whoever leaves at once leaves with the number.
    page.get_by_label("Quantity of Paper Pagoda").fill("9")
    page.get_by_role("link", name="Streamside").first.click()
    eventually(lambda: quantities(page), lambda found: found == {MUG: 8, PAGODA: 9})


@pytest.mark.usefixtures("goods")
def test_nothing_too_much_and_no_number_are_answered(shopper: Shopper) -> None:
    page = shopper()
    fill(page, MUG, PAGODA)
    mug = page.get_by_label("Quantity of Speckled Mug")
    mug.fill("9999999")
    expect(page.get_by_role("alert")).to_contain_text("At most 100,000 of Speckled Mug")
    mug.fill("2")
    expect(page.locator(".sum")).to_contain_text("£13.00")
    expect(page.get_by_role("alert")).to_have_count(0)
    mug.fill("100000")
    expect(page.get_by_text("Only 91 left")).to_be_visible()
    mug.fill("0")
    expect(page.get_by_role("status").filter(has_text="Speckled Mug was removed.")).to_have_count(1)
    expect(mug).to_have_count(0)
    expect(page.locator(".sum")).to_contain_text("£3.00")
    page.get_by_label("Quantity of Paper Pagoda").fill("")
    page.get_by_label("Search products").focus()
    expect(page.get_by_label("Quantity of Paper Pagoda")).to_have_value("1")


@pytest.mark.usefixtures("goods")
def test_names_are_never_routes(shopper: Shopper) -> None:
    page = shopper()
    page.goto("/?q=Paper+Pagoda")
    page.get_by_role("link", name="Paper Pagoda").click()
    expect(page.get_by_role("heading", name="Paper Pagoda")).to_be_visible()
    assert page.url.endswith(f"/products/{quote(PAGODA, safe='')}")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text("Added to your cart")).to_be_visible()
    fill(page, "CART", "CART/remove")
    page.get_by_label("Quantity of Cart Remover").fill("3")
    expect(page.locator(".sum")).to_contain_text("£10.00")
    page.get_by_role("button", name="Remove Paper Pagoda").click()
    expect(page.locator(".sum")).to_contain_text("£7.00")
    page.get_by_role("button", name="Remove Cart Remover").click()
    expect(page.locator(".sum")).to_contain_text("£1.00")
    assert quantities(page) == {"CART": 1}


@pytest.mark.usefixtures("goods")
def test_the_cart_works_without_scripts(shopper: Shopper) -> None:
    page = shopper(scripts=False)
    fill(page, MUG, "CART/remove")
    page.get_by_label("Quantity of Speckled Mug").fill("3")
    page.get_by_role("button", name="Update quantities").click()
    expect(page.locator(".sum")).to_contain_text("£17.00")
    page.get_by_label("Quantity of Speckled Mug").fill("4")
    page.get_by_label("Quantity of Speckled Mug").press("Enter")
    expect(page.locator(".sum")).to_contain_text("£22.00")
    page.get_by_label("Quantity of Speckled Mug").fill("5000000")
    page.get_by_role("button", name="Remove Cart Remover").click()
    expect(page.get_by_role("alert")).to_contain_text("At most 100,000 of Speckled Mug")
    page.get_by_label("Quantity of Speckled Mug").fill("5")
    page.get_by_role("button", name="Check out").click()
    page.wait_for_url("**/checkout")
    expect(page.locator(".sum")).to_contain_text("£25.00")


def test_a_form_that_is_not_whole_is_refused_in_words(platform: Platform) -> None:
    url = platform.settings.api_url
    answer = httpx.post(f"{url}/cart", data={"line_id": ["a", "b"], "quantity": "1"}, timeout=10)
    assert answer.status_code == 422
    assert re.search("The form is not whole", answer.text)
