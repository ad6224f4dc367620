"""Whom a request is counted to: nobody chooses that by a header, and a trusted proxy is no client."""

from ipaddress import ip_network
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request

from api.app import create_app
from api.client_address import client_of, counted_as, trust_proxies
from api.run import run
from api.settings import ApiSettings
from tests.unit.api.conftest import World
from topics.settings import Settings


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("no address", "no address"),
        ("", "unknown"),
    ],
)
def test_a_network_of_one_customer_is_one_client(host: str, counted: str) -> None:
    assert counted_as(host) == counted


def test_a_connection_without_an_address_is_one_client() -> None:
    assert client_of({"type": "http", "client": None}) == "unknown"


async def seen(trusted: tuple[str, ...], peer: str, *forwarded: str) -> str:
    app = FastAPI()

    @app.get("/")
    async def whoami(request: Request) -> str:
        return client_of(request.scope)

    trust_proxies(app, [ip_network(each) for each in trusted])
    transport = httpx.ASGITransport(app=app, client=(peer, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        answer = await client.get("/", headers=[("X-Forwarded-For", each) for each in forwarded])
    told: str = answer.json()
    return told


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.9", "::1"])
async def test_nobody_is_believed_by_default(peer: str) -> None:
    assert await seen((), peer, "203.0.113.7") == counted_as(peer)


async def test_a_trusted_proxy_names_the_client() -> None:
    networks = ("10.0.0.0/8", "fd00::/8")
    assert await seen(networks, "10.0.0.9", "203.0.113.7") == "203.0.113.7"
    assert await seen(networks, "10.0.0.9", "203.0.113.7:4711") == "203.0.113.7"
    assert await seen(networks, "10.0.0.9", "[2001:db8::1]:4711") == "2001:db8::/64"
    assert await seen(networks, "fd00::9", "1.1.1.1, 203.0.113.7, 10.0.0.8") == "203.0.113.7"
    assert await seen(networks, "10.0.0.9", "1.1.1.1", "203.0.113.7") == "203.0.113.7", "the last one counts"
    assert await seen(networks, "11.0.0.9", "203.0.113.7") == "11.0.0.9", "no proxy of ours"
    assert await seen(networks, "10.0.0.9") == "10.0.0.9"


def test_the_server_leaves_these_headers_to_the_application(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda _app, **options: given.update(options))
    monkeypatch.setattr("api.run.logs.configure", lambda: None)
    monkeypatch.setattr("api.run.collect_seldom", lambda: None)
    run(settings)
    assert given["proxy_headers"] is False


@pytest.mark.parametrize(("trusted", "last"), [((), 429), (("127.0.0.1/32",), 401)])
async def test_a_made_up_address_is_no_new_client(world: World, trusted: tuple[str, ...], last: int) -> None:
    proxies = tuple(ip_network(each) for each in trusted)
    limits = ApiSettings(trusted_proxies=proxies)
    app = create_app(world.services.settings, limits, world.services)
    body = {"email": "ada@example.com", "password": "a wrong phrase"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shop") as client:
        for each in range(11):
            answer = await client.post(
                "/api/v1/login", json=body, headers={"X-Forwarded-For": f"203.0.113.{each}"}
            )
    assert answer.status_code == last
