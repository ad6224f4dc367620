"""Cookies that only this host can have set, where it has TLS; and nothing left in a browser at log-out."""

from http.cookies import SimpleCookie

import httpx
import pytest

from api.app import create_app
from api.auth.cookies import Cookies
from api.settings import ApiSettings
from tests.unit.api.conftest import World
from topics.settings import Settings

FORM = {"email": "ada@example.com", "password": "correct horse battery"}


@pytest.mark.parametrize(
    ("host", "given", "secure"),
    [
        ("127.0.0.1", {}, False),
        ("::1", {}, False),
        ("localhost", {}, False),
        ("0.0.0.0", {}, True),
        ("shop.internal", {}, True),
        ("127.0.0.1", {"trusted_proxies": ["10.0.0.0/8"]}, True),
        ("127.0.0.1", {"secure_cookies": True}, True),
        ("0.0.0.0", {"secure_cookies": False}, False),
    ],
)
def test_cookies_are_bound_to_the_host_beyond_loopback(
    host: str, given: dict[str, object], *, secure: bool
) -> None:
    limits = ApiSettings.model_validate(given)
    assert Cookies.chosen(Settings(host=host, expose=True), limits).secure is secure


def set_by(answer: httpx.Response) -> SimpleCookie:
    cookies = SimpleCookie()
    for header in answer.headers.get_list("set-cookie"):
        cookies.load(header)
    return cookies


@pytest.mark.parametrize(("secure", "prefix"), [(True, "__Host-"), (False, "")])
async def test_a_session_in_a_browser(world: World, *, secure: bool, prefix: str) -> None:
    limits = ApiSettings(secure_cookies=secure)
    app = create_app(world.services.settings, limits, world.services)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://shop") as client:
        guest = await client.post("/cart/items", data={"sku": "A"})
        cart = set_by(guest)[f"{prefix}ecommerce_cart"]
        begun = await client.post("/register", data=FORM)
        token = set_by(begun)[f"{prefix}ecommerce_token"]
        for cookie in (cart, token):
            assert cookie["httponly"]
            assert cookie["samesite"] == "lax"
            assert cookie["path"] == "/"
            assert not cookie["domain"]
            assert bool(cookie["secure"]) is secure
        assert "Log out" in (await client.get("/orders")).text

        planted = f"ecommerce_token={token.value}"
        elsewhere = httpx.AsyncClient(transport=transport, base_url="https://shop")
        shown = await elsewhere.get("/orders", headers={"Cookie": planted})
        assert (shown.status_code == 200) is not secure, "what another host may have set is not looked at"
        await elsewhere.aclose()

        ended = await client.post("/logout")
        assert (ended.status_code, ended.headers["location"]) == (303, "/")
        assert ended.headers["Clear-Site-Data"] == '"cache", "storage"'
        for name in ("ecommerce_token", "ecommerce_cart"):
            gone = set_by(ended)[prefix + name]
            assert (gone.value, gone["max-age"], bool(gone["secure"])) == ("", "0", secure)
        assert "Log out" not in (await client.get("/")).text
        back = await client.get("/orders?cursor=x")
        assert (back.status_code, back.headers["location"]) == (303, "/login?next=%2Forders%3Fcursor%3Dx")
        again = await client.get("/account", headers={"Cookie": f"{prefix}ecommerce_token={token.value}"})
        assert (again.status_code, again.headers["location"]) == (303, "/login?next=%2Faccount")
