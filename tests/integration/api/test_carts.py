import uuid

import httpx
import pytest

from tests.eventually import eventually_async

WAIT = {"Prefer": "wait=10"}


async def test_a_guests_first_item_makes_the_cart_and_is_answered_with_it(
    api: httpx.AsyncClient, product: str
) -> None:
    answer = await api.post("/api/v1/cart/items", json={"sku": product, "quantity": 2}, headers=WAIT)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Preference-Applied"] == "wait=10"
    cart = answer.json()
    assert uuid.UUID(cart["cart_id"]).version == 4
    assert answer.headers["X-Cart-Id"] == cart["cart_id"]
    assert cart["subtotal"] == 590
    assert cart["items"] == [
        {
            "line_id": product,
            "sku": product,
            "quantity": 2,
            "name": "Paper heart",
            "unit_price": 295,
            "line_total": 590,
            "available": 10,
            "on_sale": True,
            "replaced": False,
        }
    ]


async def test_a_line_is_changed_and_removed(api: httpx.AsyncClient, product: str) -> None:
    added = await api.post("/api/v1/cart/items", json={"sku": product}, headers=WAIT)
    guest = {**WAIT, "X-Cart-Id": added.json()["cart_id"]}
    api.cookies.clear()
    changed = await api.patch(f"/api/v1/cart/items/{product}", json={"quantity": 5}, headers=guest)
    assert changed.json()["pieces"] == 5, changed.text
    removed = await api.delete(f"/api/v1/cart/items/{product}", headers=guest)
    assert removed.json()["items"] == []
    again = await api.delete(f"/api/v1/cart/items/{product}", headers=guest)
    assert again.status_code == 404
    assert again.json()["reason"] == "unknown_line"

    async def read() -> int:
        return int((await api.get("/api/v1/cart", headers=guest)).json()["version"])

    await eventually_async(read, lambda version: version == removed.json()["version"])


async def test_a_command_without_wait_is_accepted_and_its_status_can_be_read(
    api: httpx.AsyncClient, product: str
) -> None:
    answer = await api.post("/api/v1/cart/items", json={"sku": product})
    assert answer.status_code == 202, answer.text
    url = answer.headers["Location"]
    guest = {"X-Cart-Id": answer.headers["X-Cart-Id"]}
    api.cookies.clear()

    async def status() -> str:
        return str((await api.get(url, headers=guest)).json()["status"])

    assert await eventually_async(status, lambda text: text != "accepted") == "succeeded"
    foreign = await api.get(url, headers={"X-Cart-Id": str(uuid.uuid4())})
    assert foreign.status_code == 404
    assert (await api.get(url)).status_code == 401


@pytest.mark.usefixtures("product")
async def test_an_unknown_sku_is_refused_by_field(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/v1/cart/items", json={"sku": "NOBODY-KNOWS"}, headers=WAIT)
    assert answer.status_code == 422
    assert answer.json()["errors"][0] | {"message": ""} == {
        "field": "sku",
        "rule": "unknown_sku",
        "message": "",
    }


async def test_too_many_pieces_are_refused_by_the_cart(api: httpx.AsyncClient, product: str) -> None:
    answer = await api.post("/api/v1/cart/items", json={"sku": product, "quantity": 2**31 - 1}, headers=WAIT)
    assert answer.status_code == 422, answer.text
    assert answer.json()["reason"] == "invalid_quantity"
    assert answer.json()["errors"][0]["field"] == "quantity"


async def test_an_idempotency_key_repeats_the_answer_and_not_the_effect(
    api: httpx.AsyncClient, customer: dict[str, str], product: str
) -> None:
    headers = {**customer, **WAIT, "Idempotency-Key": "key-1"}
    first = await api.post("/api/v1/cart/items", json={"sku": product}, headers=headers)
    second = await api.post("/api/v1/cart/items", json={"sku": product}, headers=headers)
    assert (second.status_code, second.json()) == (first.status_code, first.json())
    assert second.headers["Idempotency-Replayed"] == "true"
    other = await api.post("/api/v1/cart/items", json={"sku": product, "quantity": 7}, headers=headers)
    assert other.status_code == 422
    assert other.json()["errors"][0]["rule"] == "reused"


async def test_login_takes_the_guests_cart_over(api: httpx.AsyncClient, product: str) -> None:
    added = await api.post("/api/v1/cart/items", json={"sku": product, "quantity": 3}, headers=WAIT)
    account = {"email": f"{uuid.uuid4().hex}@example.com", "password": "a long enough phrase"}
    await api.post("/api/v1/register", json=account)
    api.cookies.clear()
    login = await api.post(
        "/api/v1/login", json={**account, "cart_id": added.json()["cart_id"]}, headers=WAIT
    )
    assert login.status_code == 200, login.text
    user = {"Authorization": f"Bearer {login.json()['access_token']}"}

    async def pieces() -> int:
        return int((await api.get("/api/v1/cart", headers=user)).json()["pieces"])

    await eventually_async(pieces, lambda count: count == 3)
