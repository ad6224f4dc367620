"""Logging in: the way on is kept, and stays in the shop."""

import httpx
import pytest


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
