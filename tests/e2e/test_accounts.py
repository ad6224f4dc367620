"""An account in a browser: what ends with a session, and what nobody finds there afterwards."""

from playwright.sync_api import Page, expect

from tests.e2e.conftest import PHONE, Shopper
from tests.eventually import eventually

PASSWORD, NEW_PASSWORD = "a long enough phrase", "another long phrase"


def fill_in(page: Page, path: str, email: str, password: str, button: str) -> None:
    page.goto(path)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name=button).click()


def reloaded(page: Page) -> str:
    page.reload()
    return page.url


def test_back_after_a_log_out_shows_nothing(shopper: Shopper) -> None:
    page = shopper()
    fill_in(page, "/register?next=/account", "ada@b\u00fccher.example", PASSWORD, "Create account")
    page.wait_for_url("**/account")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    page.evaluate("localStorage.setItem('kept', 'something')")
    page.get_by_role("button", name="Log out", exact=True).click()
    page.wait_for_url("**/")
    page.wait_for_function("localStorage.getItem('kept') === null")
    assert page.context.cookies() == []
    page.go_back()
    page.wait_for_url("**/login**")
    expect(page.get_by_text("ada@")).to_have_count(0)

    fill_in(page, "/login?next=/account", " ADA@xn--bcher-kva.example ", PASSWORD, "Log in")
    page.wait_for_url("**/account")


def test_a_new_password_logs_the_other_devices_out(shopper: Shopper) -> None:
    desk, phone = shopper(), shopper(PHONE)
    fill_in(desk, "/register?next=/account", "grace@example.net", PASSWORD, "Create account")
    desk.wait_for_url("**/account")
    fill_in(phone, "/login?next=/account", "grace@example.net", PASSWORD, "Log in")
    phone.wait_for_url("**/account")
    widths = phone.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths[0] <= widths[1], "nothing sticks out"

    desk.get_by_label("Present password").fill("not the password")
    desk.get_by_label("New password").fill(NEW_PASSWORD)
    desk.get_by_role("button", name="Change password").click()
    expect(desk.get_by_role("alert")).to_contain_text("Password is not the account's password")
    desk.get_by_label("Present password").fill(PASSWORD)
    desk.get_by_label("New password").fill(NEW_PASSWORD)
    desk.get_by_role("button", name="Change password").click()
    expect(desk.get_by_text("Your password is changed")).to_be_visible()
    eventually(lambda: "/login" in reloaded(phone))

    desk.get_by_role("button", name="Log out everywhere").click()
    desk.wait_for_url("**/login")
