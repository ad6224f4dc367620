"""The checkout form: what is shown is what is charged, faults are told in words, a refusal is not the end."""

import re
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.e2e.conftest import PHONE, Platform, Shopper
from tests.e2e.test_purchase import APPROVED, DECLINED, REFUSED, check_out, fill_in, put_into_cart, step


def goods(platform: Platform, name: str, price: int = 1000) -> str:
    sku = f"{name.upper().replace(' ', '-')}-{uuid4()}"
    platform.stock(sku, name, price, 20)
    return sku


def at_form(page: Page, sku: str) -> None:
    put_into_cart(page, sku)
    page.goto("/checkout")
    fill_in(page)


def test_a_price_that_changed_is_shown_before_it_is_charged(platform: Platform, shopper: Shopper) -> None:
    sku = goods(platform, "Dear Desk")
    page = shopper()
    at_form(page, sku)
    platform.reprice(sku, 19990)
    page.get_by_role("button", name="Buy now").click()
    difference = page.locator("#difference")
    expect(difference).to_contain_text("Nothing was charged.")
    expect(difference).to_contain_text("from £10.00 to £199.90")
    expect(difference).to_contain_text("Dear Desk: 1 \N{MULTIPLICATION SIGN} £10.00")
    expect(page.locator(".sum")).to_contain_text("£199.90")
    # Nothing typed is lost, the card neither; buying again buys what is shown now.
    expect(page.get_by_label("Card number")).to_have_value(APPROVED)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Ada Lovelace")
    page.get_by_role("button", name="Buy now").click()
    page.wait_for_url(re.compile("/orders/"))
    step(page, "Confirmed")
    expect(page.locator(".sum")).to_contain_text("£199.90")


def test_what_another_tab_added_is_shown_before_it_is_bought(platform: Platform, shopper: Shopper) -> None:
    cheap, dear = goods(platform, "Cheap Chair", 500), goods(platform, "Dear Dresser", 7000)
    page = shopper(PHONE)
    at_form(page, cheap)
    put_into_cart(page.context.new_page(), dear)
    page.get_by_role("button", name="Buy now").click()
    expect(page.locator("#difference")).to_contain_text("from £5.00 to £75.00")
    expect(page.locator("#difference")).to_contain_text("Dear Dresser: not in the cart")
    expect(page.get_by_label("Card number")).to_have_value(APPROVED)


def test_after_a_declined_card_and_back_another_card_buys(platform: Platform, shopper: Shopper) -> None:
    sku = goods(platform, "Second Chance")
    page = shopper()
    put_into_cart(page, sku)
    check_out(page, DECLINED)
    step(page, REFUSED)
    refused = page.url
    page.go_back()
    page.wait_for_url("**/checkout")
    fill_in(page, APPROVED)
    page.get_by_role("button", name="Buy now").click()
    page.wait_for_url(lambda url: "/orders/" in url and url != refused)
    step(page, "Confirmed")


def test_an_old_form_with_its_old_key_is_a_new_attempt_without_scripts(
    platform: Platform, shopper: Shopper
) -> None:
    sku = goods(platform, "Third Chance")
    page = shopper(scripts=False)
    page.goto(f"/products/{sku}")
    page.get_by_role("button", name="Add to cart").click()
    page.wait_for_url("**/cart")
    page.goto("/checkout")
    fill_in(page)
    sent = {
        each.get_attribute("name") or "": each.input_value()
        for each in page.locator("#checkout-form input, #checkout-form select").all()
    }

    def buy(card: str) -> str:
        form: dict[str, str | float | bool] = {**sent, "card_number": card}
        headers = {"Sec-Fetch-Site": "same-origin"}
        return page.context.request.post("/checkout", form=form, headers=headers, max_redirects=0).headers[
            "location"
        ]

    first = buy(DECLINED)
    page.goto(first)
    expect(page.get_by_role("alert")).to_contain_text("payment was refused")
    page.goto("/cart")
    expect(page.get_by_role("button", name="Check out")).to_be_visible()
    second = buy(APPROVED)
    assert second != first
    # Sent once more, it is the same purchase.
    assert buy(APPROVED) == second


def test_all_faults_are_told_in_words_and_what_was_typed_stays(platform: Platform, shopper: Shopper) -> None:
    page = shopper()
    at_form(page, goods(platform, "Faulty Frame"))
    page.get_by_label("Email").fill("nobody")
    page.get_by_label("Town or city").fill(" ")
    page.get_by_label("Postcode").fill("1")
    page.get_by_label("Expiry").fill("13/30")
    page.get_by_role("button", name="Buy now").click()
    expect(page.get_by_role("alert")).to_contain_text("Please check 4 fields")
    for said in (
        "Type an email address",
        "Type the town or city.",
        "This is no postcode of United Kingdom",
        "Type the month and year on the card, like 12/30.",
    ):
        expect(page.get_by_text(said)).to_be_visible()
    expect(page.get_by_label("Email")).to_be_focused()
    expect(page.get_by_label("Card number")).to_have_value(APPROVED)
    page.get_by_label("Country").select_option(label="Ireland")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Town or city").fill("Dublin")
    page.get_by_label("Postcode").fill("")
    page.get_by_label("Card number").fill("4242-4242-4242-4241")
    page.get_by_label("Expiry").fill("12 / 2030")
    page.get_by_role("button", name="Buy now").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not the number of a card")
    expect(page.get_by_label("Country")).to_have_value("IE")
    page.get_by_label("Card number").fill("4242-4242-4242-4242")
    page.get_by_role("button", name="Buy now").click()
    page.wait_for_url(re.compile("/orders/"))
    step(page, "Confirmed")
