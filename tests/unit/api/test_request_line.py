"""Methods, paths and the names in them, over the whole application."""

import asyncio
from collections.abc import Iterable

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from api.app import create_app
from api.auth.caller import Caller
from api.cart.view import CartState
from api.names import encoded_path, segment
from api.settings import ApiSettings
from schemas.cart import CartLine, CartStatus, CartUpdated
from schemas.envelope import Message
from schemas.order import OrderStatus
from tests.unit.api.conftest import World
from tests.unit.api.fakes import Reply, product
from tests.unit.api.test_progress import ORDER, shown
from topics import registry as t
from topics.settings import Settings

# A name that is only ".." cannot be asked for: clients take it out even where it is encoded.
AWKWARD = ["A/B", "A/remove", "A/adjust", "A/../B", "A%2FB", "A?b#c", "A B", "é/ü", "A;b", "A+B"]
CART = {"X-Cart-Id": "3f0c3d4e-0f3c-4b8e-9d0a-6a1f6b8f7c21"}
WAIT = {"Prefer": "wait=5"}


@pytest.mark.parametrize("sku", AWKWARD)
async def test_a_product_is_opened_by_its_name_whatever_that_looks_like(
    client: httpx.AsyncClient, world: World, sku: str
) -> None:
    world.catalogue.known[sku] = product(sku)
    for prefix in ("/products", "/api/v1/products"):
        answer = await client.get(f"{prefix}/{segment(sku)}")
        assert (answer.status_code, sku[:1] in answer.text) == (200, True)


@pytest.mark.parametrize("sku", AWKWARD)
async def test_a_line_is_changed_and_removed_by_its_name(
    client: httpx.AsyncClient, world: World, sku: str
) -> None:
    def answered(_message: Message) -> Iterable[Reply]:  # type: ignore[type-arg] # any command
        lines = (CartLine("kept", "kept", 1),)
        yield t.CART_UPDATED, world.cart_of(CART), CartUpdated(CartStatus.OPEN, lines, None, None, 1), 2

    world.broker.reply = answered
    state = CartUpdated(CartStatus.OPEN, (CartLine(sku, sku, 1),), None, None, 1)
    world.carts.known[world.cart_of(CART)] = CartState(state, 1)
    line = {"line_id": sku, "shown": "1"}
    for ask in (
        client.patch(f"/api/v1/cart/items/{segment(sku)}", json={"quantity": 2}, headers={**CART, **WAIT}),
        client.delete(f"/api/v1/cart/items/{segment(sku)}", headers={**CART, **WAIT}),
        client.post("/cart", data={**line, "quantity": "2"}, headers=CART),
        client.post("/cart/remove", data={**line, "quantity": "1", "remove": sku}, headers=CART),
    ):
        assert (await ask).status_code in (200, 303)
    assert [(topic, message.data.line_id) for topic, _, message in world.broker.sent] == [
        (t.CART_CHANGE, sku),
        (t.CART_REMOVE, sku),
        (t.CART_CHANGE, sku),
        (t.CART_REMOVE, sku),
    ]


async def test_a_slash_that_nobody_encoded_parts_two_names(client: httpx.AsyncClient, world: World) -> None:
    world.catalogue.known["A/B"] = product("A/B")
    assert (await client.get("/api/v1/products/A/B")).status_code == 404
    assert (await client.get("/api/v1/products/A%2fB")).status_code == 200


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/api/v1/%63art", "/api/v1/cart"),
        (b"/products/A%2fB", "/products/A%2FB"),
        (b"/products/A%252FB", "/products/A%252FB"),
        (b"/products/%ff", "/products/%EF%BF%BD"),
        ("/products/é".encode(), "/products/%C3%A9"),
        (b"/products/\xff", "/products/%EF%BF%BD"),
        (b"/a%20b", "/a%20b"),
    ],
)
def test_a_path_has_one_encoded_form(raw: bytes, path: str) -> None:
    assert encoded_path(raw) == path


def gets(settings: Settings) -> list[str]:
    """Return every path of the application that has `GET`, with a value for what it names."""
    app = create_app(settings, ApiSettings())
    found = {
        route.path_format
        for route in iter_route_contexts(app.routes)
        if route.path_format and "GET" in (route.methods or ()) and "static" not in route.path_format
    }
    identity = "6c1f6f0e-5f39-5d7e-8a4e-0a8f6b0c1d2e"
    return sorted(each.replace("{sku}", "A").format_map(_Each(identity)) for each in found)


class _Each(dict[str, str]):
    def __init__(self, value: str) -> None:
        super().__init__()
        self._value = value

    def __missing__(self, _key: str) -> str:
        return self._value


async def test_head_is_get_without_a_body_everywhere(client: httpx.AsyncClient, world: World) -> None:
    paths = gets(world.services.settings)
    assert len(paths) > 30
    for path in paths:
        query = {"q": "a"} if path.endswith("suggest") else {}
        got, head = await client.get(path, params=query), await client.head(path, params=query)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        if path != "/metrics":
            assert head.headers.get("content-type") == got.headers.get("content-type"), path


async def test_head_of_a_stream_of_events_ends(client: httpx.AsyncClient, world: World) -> None:
    shown(world, Caller(guest_cart=world.cart_of(CART)), OrderStatus.PLACED, 1)
    async with asyncio.timeout(10):
        answer = await client.head(f"/api/v1/orders/{ORDER}/events", headers=CART)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/cart/items", "POST"),
        ("GET", "/api/v1/cart/items", "POST"),
        ("POST", "/api/v1/cart", "DELETE, GET, HEAD"),
        ("POST", "/api/v1/products/A", "DELETE, GET, HEAD, PATCH"),
        ("PUT", "/api/v1/inventory/A/adjust", "POST"),
        ("DELETE", "/api/v1/inventory/A", "GET, HEAD"),
        ("PUT", "/health/live", "GET, HEAD"),
        ("OPTIONS", "/cart", "GET, HEAD, POST"),
        ("TRACE", "/cart", "GET, HEAD, POST"),
        ("BREW", "/", "GET, HEAD"),
    ],
)
async def test_a_method_that_a_path_has_not_is_refused_first_and_names_those_it_has(
    client: httpx.AsyncClient, world: World, method: str, path: str, allowed: str
) -> None:
    # Neither a closed gate nor a body of any kind matters to what no command is.
    world.services.gate.see(sending=1e9)
    answer = await client.request(method, path, content=b"x" * 2_000_000)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert answer.json()["correlation_id"] == answer.headers["X-Correlation-Id"]


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/api/v1/products/", "/api/v1/products"),
        ("/api/v1/products/A/", "/api/v1/products/A"),
        ("/cart/?a=b", "/cart?a=b"),
        ("/health/live/", "/health/live"),
    ],
)
async def test_a_slash_too_many_leads_to_where_it_was_meant(
    client: httpx.AsyncClient, path: str, leads_to: str
) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (308, leads_to)


@pytest.mark.parametrize("path", ["//evil.example/", "/nowhere/", "/api/v1/nowhere/", "/products/"])
async def test_a_slash_too_many_leads_nowhere_else(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"http://shop{path}")).status_code == 404


@pytest.mark.parametrize("path", ["/?category=%00", "/?q=a%00b", "/api/v1/products/%00", "/orders/%00"])
async def test_an_address_with_a_nul_is_refused(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, "NUL" in answer.json()["detail"]) == (400, True)
