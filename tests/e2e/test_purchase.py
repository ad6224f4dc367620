"""A shopper buys in a real browser, on the real platform."""

import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.conftest import DESKTOP, PHONE, Platform, Shopper
from tests.eventually import eventually

# An order that is refused before any view has heard of it is told as not accepted.
REFUSED = re.compile("Cancelled|Not accepted")
APPROVED, DECLINED = "4242 4242 4242 4242", "4000 0000 0000 0002"


def put_into_cart(page: Page, sku: str, quantity: int = 1) -> None:
    page.goto(f"/products/{sku}")
    page.get_by_label("Quantity").fill(str(quantity))
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text("Added to your cart")).to_be_visible()


def check_out(page: Page, card: str = APPROVED) -> None:
    page.goto("/cart")
    page.get_by_role("button", name="Check out").click()
    fill_in(page, card)
    page.get_by_role("button", name="Buy now").click()
    page.wait_for_url(re.compile("/orders/"))


def fill_in(page: Page, card: str = APPROVED) -> None:
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Name", exact=True).fill("Ada Lovelace")
    page.get_by_label("Address").fill("12 St James's Square")
    page.get_by_label("Town or city").fill("London")
    page.get_by_label("Postcode").fill("SW1Y 4JH")
    page.get_by_label("Card number").fill(card)
    page.get_by_label("Expiry").fill("12/30")
    page.get_by_label("CVC").fill("123")


def step(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.locator(".steps li.done, .steps li.bad").filter(has_text=text)).to_be_visible(timeout=20_000)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_find_choose_buy_and_watch(platform: Platform, shopper: Shopper, viewport: ViewportSize) -> None:
    sku = f"LANTERN-{viewport['width']}"
    platform.stock(sku, f"Paper Lantern {viewport['width']}", 450, 20)
    page = shopper(viewport)
    page.goto("/")
    page.get_by_label("Search products").fill(f"lantrn {viewport['width']}")
    page.get_by_label("Search products").press("Enter")
    page.get_by_role("link", name="Paper Lantern").first.click()
    expect(page.get_by_role("heading", name="Paper Lantern")).to_be_visible()
    put_into_cart(page, sku, 2)
    expect(page.locator("#cart-badge")).to_have_text("2")
    page.goto("/cart")
    page.get_by_label("Quantity of").fill("3")
    page.get_by_label("Quantity of").press("Enter")
    expect(page.locator(".sum").get_by_text("£13.50")).to_be_visible()
    check_out(page)
    step(page, "Confirmed")
    expect(page.get_by_text("£13.50").first).to_be_visible()
    page.goto("/cart")
    expect(page.get_by_text("Your cart is empty")).to_be_visible(timeout=10_000)
    page.goto("/orders")
    expect(page.get_by_role("cell", name="confirmed")).to_be_visible()


def test_two_shoppers_race_for_the_last_piece(platform: Platform, shopper: Shopper) -> None:
    platform.stock("LAST-1", "The Last Teapot", 1250, 1)
    pages = [shopper(), shopper()]
    for page in pages:
        put_into_cart(page, "LAST-1")
    for page in pages:
        check_out(page)
    for page in pages:
        expect(
            page.locator(".steps li", has_text=re.compile("Confirmed|Cancelled|Not accepted")).and_(
                page.locator(".done, .bad")
            )
        ).to_be_visible(timeout=20_000)
    refused = [page for page in pages if page.get_by_role("alert").count()]
    assert len(refused) == 1
    expect(refused[0].get_by_role("alert")).to_contain_text("The Last Teapot sold out")
    refused[0].goto("/cart")
    expect(refused[0].get_by_role("link", name="The Last Teapot")).to_be_visible()
    expect(refused[0].get_by_role("button", name="Check out")).to_be_visible(timeout=10_000)
    levels = eventually(
        lambda: platform.get("/api/v1/products/LAST-1").json(), lambda found: found["available"] == 0
    )
    assert levels["available"] == 0


def test_a_refused_card_leaves_everything_as_it_was(platform: Platform, shopper: Shopper) -> None:
    platform.stock("MUG-1", "Enamel Mug", 699, 5)
    page = shopper()
    put_into_cart(page, "MUG-1", 2)
    check_out(page, DECLINED)
    step(page, REFUSED)
    expect(page.get_by_role("alert")).to_contain_text("payment was refused")
    page.goto("/cart")
    expect(page.get_by_label("Quantity of Enamel Mug")).to_have_value("2")
    eventually(
        lambda: platform.get("/api/v1/products/MUG-1").json()["available"], lambda available: available == 5
    )


def test_a_guests_cart_goes_along_at_login(platform: Platform, shopper: Shopper) -> None:
    platform.stock("BUNTING-1", "Spotty Bunting", 495, 5)
    page = shopper()
    put_into_cart(page, "BUNTING-1")
    page.goto("/register")
    page.get_by_label("Email").fill("grace@example.com")
    page.get_by_label("Password").fill("a long enough phrase")
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/")
    # The lines move from cart to cart in the dataflow: a busy platform shows them a moment after the login.
    eventually(lambda: _in_cart(page, "Spotty Bunting"))


def _in_cart(page: Page, name: str) -> bool:
    page.goto("/cart")
    return page.get_by_role("link", name=name).is_visible()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_ops_see_lag_live(platform: Platform, shopper: Shopper, viewport: ViewportSize) -> None:
    platform.stock(f"OPS-{viewport['width']}", "Ops Product", 100, 1)
    page = shopper(viewport)
    page.goto("/ops")
    for name in ("records", "seconds", "throughput"):
        expect(page.locator(f"#chart-{name} canvas")).to_be_visible(timeout=15_000)
    expect(page.locator("#verdict")).to_contain_text(re.compile("All is well|Needs a look"))
    page.locator("#read-partitions summary").click()
    expect(page.get_by_role("cell", name="ecommerce.streams").first).to_be_visible(timeout=15_000)
    # What a person opened stays open, though the tables come anew every two seconds.
    with page.expect_response("**/ops/tables"):
        pass
    expect(page.get_by_role("cell", name="ecommerce.streams").first).to_be_visible()
    page.locator("#read-partitions summary").click()
    assert page.evaluate("document.documentElement.scrollHeight") < 4_000
    # The charts go on from what was seen: the first point is the same after a reload.
    began = eventually(lambda: page.evaluate("times[0]"))
    page.reload()
    eventually(lambda: page.evaluate("times[0]"), lambda first: first == began)
    expect(page.get_by_text("dead letters").first).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/cart", "/checkout", "/orders", "/login", "/register", "/ops"])
def test_nothing_sticks_out_on_a_phone(platform: Platform, shopper: Shopper, path: str) -> None:
    platform.stock("WIDE-1", "A Product With Quite A Long Name To Wrap", 100, 1)
    page = shopper(PHONE)
    put_into_cart(page, "WIDE-1")
    page.goto(path)
    widths = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths[0] <= widths[1]
