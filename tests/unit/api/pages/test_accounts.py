"""Logging in: the way on is kept, and stays in the shop."""

import httpx
import pytest

from api.problems import unavailable
from tests.unit.api.conftest import World


@pytest.mark.parametrize("page", ["/login", "/register"])
async def test_the_way_on_is_kept_between_the_forms(client: httpx.AsyncClient, page: str) -> None:
    shown = (await client.get(page, params={"next": "/checkout"})).text
    assert '<input type="hidden" name="next" value="/checkout">' in shown
    assert "?next=/checkout" in shown


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_the_way_on_leads_nowhere_else(client: httpx.AsyncClient, elsewhere: str) -> None:
    shown = (await client.get("/login", params={"next": elsewhere})).text
    assert '<input type="hidden" name="next" value="/">' in shown
    assert "evil" not in shown


async def test_a_new_account_goes_on_where_it_was_asked_for(client: httpx.AsyncClient) -> None:
    form = {"email": "ada@example.com", "password": "correct horse battery", "next": "/checkout"}
    refused = await client.post("/register", data={**form, "email": "no address"})
    assert (refused.status_code, 'value="/checkout"' in refused.text) == (422, True)
    assert (await client.post("/register", data=form)).headers["location"] == "/checkout"


async def test_staff_are_told_how_to_become_it(client: httpx.AsyncClient) -> None:
    sent = await client.get("/ops/dead-letters")
    assert "ecommerce staff" in (await client.get(sent.headers["location"])).text
    assert "ecommerce staff" not in (await client.get("/login")).text


FORM = {"email": "ada@example.com", "password": "correct horse battery"}
NEW = "another horse battery"


@pytest.mark.parametrize("page", ["/login", "/register"])
@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({}, "Email is needed"),
        ({"email": "a\x07@example.com", "password": "x"}, "This is no email address"),
        ({"email": "a@example", "password": "x"}, "This is no email address"),
        ({"email": "ada@example.com", "password": ""}, "Password is needed"),
        ({"email": "ada@example.com", "password": "x" * 500}, "Password is too long"),
    ],
)
async def test_forms_are_checked_as_the_api_checks(
    client: httpx.AsyncClient, page: str, form: dict[str, str], told: str
) -> None:
    shown = await client.post(page, data=form)
    assert shown.status_code == 422
    assert told in shown.text
    assert "string" not in shown.text.partition("<main")[2].partition("</main>")[0].lower()


async def test_a_password_is_changed_where_the_old_one_is_known(client: httpx.AsyncClient) -> None:
    assert (await client.post("/register", data=FORM)).status_code == 303
    before = dict(client.cookies)
    for old, new, told in (
        ("not the password", NEW, "Password is not the account"),
        (FORM["password"], "short", "New password must have at least 10 characters"),
        (FORM["password"], "", "New password is needed"),
    ):
        refused = await client.post("/account/password", data={"password": old, "new_password": new})
        assert refused.status_code == 422
        assert told in refused.text
    changed = await client.post("/account/password", data={"password": FORM["password"], "new_password": NEW})
    assert changed.status_code == 200
    assert "Your password is changed" in changed.text
    assert "ada@example.com" in (await client.get("/account")).text, "this browser goes on"
    former = {"Cookie": f"ecommerce_token={before['ecommerce_token']}"}
    client.cookies.clear()
    assert (await client.get("/account", headers=former)).status_code == 303
    assert (await client.post("/login", data=FORM)).status_code == 422
    assert (await client.post("/login", data={**FORM, "password": NEW})).status_code == 303


async def test_all_sessions_are_ended_at_once(client: httpx.AsyncClient) -> None:
    await client.post("/register", data=FORM)
    first = {"Cookie": f"ecommerce_token={client.cookies['ecommerce_token']}"}
    client.cookies.clear()
    await client.post("/login", data=FORM)
    ended = await client.post("/account/logout-everywhere")
    assert (ended.headers["location"], ended.headers["Clear-Site-Data"]) == ("/login", '"cache", "storage"')
    client.cookies.clear()
    assert (await client.get("/account", headers=first)).headers["location"].startswith("/login")


async def test_a_log_out_that_reaches_no_database_says_so(client: httpx.AsyncClient, world: World) -> None:
    await client.post("/register", data=FORM)
    world.sessions.error = unavailable("the database of accounts")
    answer = await client.post("/logout")
    assert answer.status_code == 503
    assert "logged out in this browser" in answer.text
    assert 'ecommerce_token=""' in ", ".join(answer.headers.get_list("set-cookie"))
    assert (await client.post("/logout")).status_code == 303, "nobody is logged in here any more"


async def test_private_pages_are_kept_by_no_cache(client: httpx.AsyncClient) -> None:
    await client.post("/register", data=FORM)
    for path in ("/cart", "/orders", "/account", "/login", "/register", "/checkout", "/cart/badge", "/ops"):
        answer = await client.get(path)
        assert answer.headers["Cache-Control"] == "no-store", path
    assert (await client.get("/")).headers["Cache-Control"] == "private, no-cache"
    assert "no-store" not in (await client.get("/static/shop.css")).headers.get("Cache-Control", "")
