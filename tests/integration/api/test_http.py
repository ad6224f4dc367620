"""What holds for every request: problem documents, correlation, limits, headers."""

import json
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest

PROBLEM = "application/problem+json"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status", "field"),
    [
        ("GET", "/api/v1/nowhere", None, {}, 404, None),
        ("PUT", "/api/v1/cart", None, {}, 405, None),
        ("POST", "/api/v1/cart/items", b'{"sku": "A", ', {"Content-Type": "application/json"}, 400, None),
        ("POST", "/api/v1/cart/items", b"sku=A", {"Content-Type": "text/plain"}, 415, None),
        (
            "POST",
            "/api/v1/cart/items",
            b'{"sku": "A", "quantity": -1}',
            {"Content-Type": "application/json"},
            422,
            "quantity",
        ),
        (
            "POST",
            "/api/v1/cart/items",
            b'{"sku": "A", "quantity": "2"}',
            {"Content-Type": "application/json"},
            422,
            "quantity",
        ),
        (
            "POST",
            "/api/v1/cart/items",
            b'{"sku": "A", "agreed_price": 1}',
            {"Content-Type": "application/json"},
            422,
            "agreed_price",
        ),
        (
            "POST",
            "/api/v1/register",
            b'{"email": "' + b"a" * 1_100_000 + b'"}',
            {"Content-Type": "application/json"},
            413,
            None,
        ),
        ("GET", "/api/v1/products?limit=0", None, {}, 422, "limit"),
        ("GET", "/api/v1/products?cursor=nonsense", None, {}, 422, "cursor"),
        ("GET", "/api/v1/products?price_from=2&price_to=1", None, {}, 422, "price_from"),
        ("GET", "/api/v1/products/NOT-THERE", None, {}, 404, None),
        ("GET", f"/api/v1/orders/{UNKNOWN}", None, {"X-Cart-Id": str(uuid.uuid4())}, 404, None),
        ("GET", "/api/v1/orders/not-a-uuid", None, {"X-Cart-Id": str(uuid.uuid4())}, 422, "order_id"),
        ("GET", "/api/v1/orders", None, {}, 401, None),
        ("GET", "/api/v1/cart", None, {"X-Cart-Id": "secret"}, 401, "X-Cart-Id"),
        ("GET", "/api/v1/cart", None, {"Authorization": "Bearer nonsense"}, 401, None),
        ("GET", "/api/v1/ops/lag", None, {}, 401, None),
    ],
)
async def test_every_error_is_a_problem_document(  # noqa: PLR0917 (a row of the table)
    api: httpx.AsyncClient,
    method: str,
    path: str,
    content: bytes | None,
    headers: dict[str, str],
    status: int,
    field: str | None,
) -> None:
    correlation = str(uuid.uuid4())
    answer = await api.request(
        method, path, content=content, headers={**headers, "X-Correlation-Id": correlation}
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["X-Correlation-Id"] == correlation
    problem = answer.json()
    assert (problem["status"], problem["correlation_id"]) == (status, correlation)
    assert problem["instance"] == path.partition("?")[0]
    assert [each["field"] for each in problem.get("errors", [])] == ([field] if field else [])
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    if status == 405:
        assert answer.headers["Allow"] == "DELETE, GET, HEAD"


async def test_a_body_that_grows_beyond_the_limit_is_413_too(api: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"email": "'
        for _ in range(20):
            yield b"a" * 65_536

    answer = await api.post(
        "/api/v1/register", content=chunks(), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)


async def test_answers_carry_security_headers_and_no_cors(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/v1/products", headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_health_metrics_and_services(api: httpx.AsyncClient) -> None:
    assert (await api.get("/health/live")).json() == {"status": "alive"}
    ready = await api.get("/health/ready")
    checks = dict.fromkeys(("kafka", "postgres", "redis", "dataflow"), True)
    assert ready.json() == {"ready": True, "checks": checks, "standing": []}
    metrics = (await api.get("/metrics")).text
    assert 'api_requests_total{method="GET",route="/health/ready",status="200"}' in metrics
    answer = await api.get("/api/v1/services/health")
    assert answer.status_code == 200, answer.text
    assert answer.json()["services"]["api"][0]["healthy"] is True
    assert answer.json()["healthy"] is False, "worker, sink, gateway and outbox do not run in this test"


async def test_the_registry_speaks_confluents_paths(api: httpx.AsyncClient) -> None:
    subjects = (await api.get("/subjects")).json()
    assert "ecommerce.order.confirmed-value" in subjects
    base = "/subjects/ecommerce.order.confirmed-value/versions"
    versions = (await api.get(base)).json()
    latest = (await api.get(f"{base}/latest")).json()
    assert versions == list(range(1, latest["version"] + 1))
    by_id = (await api.get(f"/schemas/ids/{latest['id']}")).json()
    assert by_id["schema"] == latest["schema"]
    missing = await api.get("/subjects/nothing-value/versions")
    assert (missing.status_code, missing.json()["error_code"]) == (404, 40401)


async def test_the_registry_finds_a_schema_that_a_parser_has_written_its_way(api: httpx.AsyncClient) -> None:
    place = "/subjects/ecommerce.order.confirmed-value"
    latest = (await api.get(f"{place}/versions/latest")).json()
    parsed = json.loads(latest["schema"])
    rewritten = dict(reversed(parsed.items()), doc="another")
    media = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    found = await api.post(f"{place}?normalize=false", json={"schema": json.dumps(rewritten)}, headers=media)
    assert found.json() == latest
    other = await api.post(place, json={"schema": '"string"'}, headers=media)
    assert (other.status_code, other.json()["error_code"]) == (404, 40403)
    broken = await api.post(place, json={"schema": "{"}, headers=media)
    assert (broken.status_code, broken.json()["error_code"]) == (422, 42201)
