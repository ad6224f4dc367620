"""No change is taken from another site's page, by whichever route, with a body or without."""

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.requests import Request

from api.app import create_app
from api.auth.tokens import Role
from api.same_origin import SAFE_METHODS, same_origin
from api.settings import ApiSettings
from tests.unit.api.conftest import World

FOREIGN = (
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://shop"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Origin": "http://[x]:21005"},
    {"Origin": "shop"},
)


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw})


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "nonsense"}, False),
        ({"origin": "http://shop", "host": "shop"}, True),
        ({"origin": "http://shop:8080", "host": "shop:8080"}, True),
        ({"origin": "http://evil", "host": "shop"}, False),
        ({"origin": "http://shop.evil", "host": "shop"}, False),
        ({"origin": "null", "host": "shop"}, False),
        ({"origin": "null", "host": ""}, False),
        ({"origin": "http://[", "host": "shop"}, False),
        ({"origin": "http://[x]:21005", "host": "shop"}, False),
        ({"origin": "http://evil", "sec_fetch_site": "same-origin", "host": "shop"}, False),
        ({"origin": "https://app.example", "sec_fetch_site": "cross-site", "host": "shop"}, True),
        ({"host": "shop"}, True),
    ],
)
def test_where_a_request_comes_from(headers: dict[str, str], accepted: bool) -> None:  # noqa: FBT001 (parametrised)
    assert same_origin(request(**headers), {"https://app.example"}) is accepted


def changes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield the method and a path of every route that may change something."""
    for route in iter_route_contexts(app.routes):
        for method in (route.methods or set()) - SAFE_METHODS:
            assert route.path
            yield method, re.sub(r"\{[^}]+\}", "8c6b1c3e-1d0f-4b1e-9a55-0c5f1f1f7a01", route.path)


async def test_every_change_refuses_other_origins(world: World) -> None:
    app = create_app(world.services.settings, ApiSettings(), world.services)
    token = world.authorised(Role.STAFF)["Authorization"].removeprefix("Bearer ")
    every = sorted(changes(app))
    assert len(every) > 20
    assert ("POST", "/orders/8c6b1c3e-1d0f-4b1e-9a55-0c5f1f1f7a01/cancel") in every
    assert ("POST", "/api/v1/orders/8c6b1c3e-1d0f-4b1e-9a55-0c5f1f1f7a01/cancel") in every
    transport = httpx.ASGITransport(app=app)
    cookie = {"Cookie": f"ecommerce_token={token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        for method, path in every:
            for headers in FOREIGN:
                for body in (None, b"{}"):
                    answer = await client.request(method, path, headers={**cookie, **headers}, content=body)
                    assert answer.status_code == 403, (method, path, headers)
                    assert answer.json()["type"] == "urn:ecommerce:problem:cross-origin"
    assert not world.broker.sent


async def test_the_shops_pages_programs_and_allowed_origins_are_served(world: World) -> None:
    limits = ApiSettings(cors_origins=("https://app.example",))
    app = create_app(world.services.settings, limits, world.services)
    own = {"Sec-Fetch-Site": "same-origin", "Origin": "http://shop"}
    program = {**world.authorised(), "Origin": "https://elsewhere.example"}
    allowed = {"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        for headers in (own, program, allowed, {}):
            answer = await client.post("/api/v1/cart/items", headers=headers, json={"sku": "A"})
            assert answer.status_code == 202, headers
        refused = await client.post(
            "/cart/items", headers={"Sec-Fetch-Site": "same-site", "Accept": "text/html"}, data={"sku": "A"}
        )
    assert refused.status_code == 403
    assert "another page" in refused.text
