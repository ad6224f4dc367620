import re
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.settings import ApiSettings
from tests.unit.api.conftest import World


@pytest.fixture
def operations(world: World) -> list[tuple[str, str, dict[str, Any]]]:
    document = create_app(world.services.settings, ApiSettings(), world.services).openapi()
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_is_named_described_and_tagged(
    operations: list[tuple[str, str, dict[str, Any]]],
) -> None:
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(set(names)) == len(names)
    for method, path, operation in operations:
        assert operation["description"], (method, path)
        assert operation["tags"], (method, path)


def test_every_error_is_a_problem_document(operations: list[tuple[str, str, dict[str, Any]]]) -> None:
    for method, path, operation in operations:
        for status, response in operation["responses"].items():
            if path.startswith("/api/") and (status == "default" or int(status) >= 400):
                assert list(response["content"]) == ["application/problem+json"], (method, path, status)


def test_every_body_has_an_example(world: World) -> None:
    document = create_app(world.services.settings, ApiSettings(), world.services).openapi()
    schemas = document["components"]["schemas"]
    bodies = {
        part["$ref"].rsplit("/", 1)[1]
        for methods in document["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
        for schema in [operation["requestBody"]["content"]["application/json"]["schema"]]
        for part in schema.get("anyOf", [schema])
        if "$ref" in part
    }
    assert {"NewItem", "CheckoutRequest", "SchemaText"} <= bodies
    assert [name for name in sorted(bodies) if not schemas[name].get("examples")] == []


def test_staff_routes_need_a_token_and_shopping_does_not(
    operations: list[tuple[str, str, dict[str, Any]]],
) -> None:
    by_id = {operation["operationId"]: operation for _, _, operation in operations}
    assert {} in by_id["addCartItem"]["security"]
    assert by_id["receiveStock"]["security"] == [{"token": []}, {"token cookie": []}]


async def test_cors_is_off_unless_origins_are_named(world: World) -> None:
    origin = "https://shop.example"
    for limits, allowed in ((ApiSettings(), None), (ApiSettings(cors_origins=(origin,)), origin)):
        app = create_app(world.services.settings, limits, world.services)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            answer = await client.get("/health/live", headers={"Origin": origin})
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed


async def test_a_crash_is_a_problem_that_tells_nothing(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(_sku: str) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(world.catalogue, "product", crash)
    answer = await client.get("/api/v1/products/A")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text
    assert answer.headers["X-Correlation-Id"] == answer.json()["correlation_id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.json()["correlation_id"]


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_the_documentation_loads_nothing_from_elsewhere(client: httpx.AsyncClient, page: str) -> None:
    shown = await client.get(page)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', shown.text)
    assert loaded
    assert all(address.startswith("/") for address in loaded), loaded
    for address in loaded:
        assert (await client.get(address)).status_code == 200, address
    assert "default-src 'self'" in shown.headers["Content-Security-Policy"]
