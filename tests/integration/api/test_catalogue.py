import uuid
from typing import Any

import httpx

from tests.eventually import eventually_async

WAIT = {"Prefer": "wait=10"}


async def test_lists_are_filtered_sorted_and_paged_without_gaps(
    api: httpx.AsyncClient, staff: dict[str, str], product: str
) -> None:
    category = f"cat-{uuid.uuid4().hex[:6]}"
    for index, price in enumerate((300, 100, 200, 200)):
        body = {
            "sku": f"{category}-{index}",
            "name": f"Thing {index}",
            "price": price,
            "categories": [category],
        }
        made = await api.post("/api/v1/products", json=body, headers={**staff, **WAIT})
        assert made.status_code == 201, made.text

    async def listed() -> list[dict[str, Any]]:
        answer = await api.get("/api/v1/products", params={"category": category})
        return list(answer.json()["items"])

    await eventually_async(listed, lambda items: len(items) == 4)
    for sort, expected in (
        ("price", [1, 2, 3, 0]),
        ("-price", [0, 2, 3, 1]),
        ("name", [0, 1, 2, 3]),
        ("newest", None),
    ):
        seen: list[int] = []
        cursor: str | None = None
        while True:
            params = {
                "category": category,
                "sort": sort,
                "limit": "1",
                **({"cursor": cursor} if cursor else {}),
            }
            page = (await api.get("/api/v1/products", params=params)).json()
            seen += [int(item["sku"].rsplit("-", 1)[1]) for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == (expected if expected is not None else seen)
        assert sorted(seen) == [0, 1, 2, 3]
    bounded = await api.get(
        "/api/v1/products", params={"category": category, "price_from": 150, "price_to": 250}
    )
    assert len(bounded.json()["items"]) == 2
    stocked = await api.get("/api/v1/products", params={"category": category, "in_stock": "true"})
    assert stocked.json()["items"] == []
    wrong_sort = await api.get("/api/v1/products", params={"sort": "price", "cursor": "WyJhIiwiYiJd"})
    assert wrong_sort.status_code == 422
    assert product


async def test_search_forgives_a_letter_and_suggests(api: httpx.AsyncClient, product: str) -> None:
    async def found() -> list[str]:
        answer = await api.get("/api/v1/search", params={"q": "papr heart"})
        assert answer.status_code == 200, answer.text
        return [hit["sku"] for hit in answer.json()["hits"]]

    await eventually_async(found, lambda skus: product in skus)
    suggested = await api.get("/api/v1/search/suggest", params={"q": "pap"})
    assert product in [each["sku"] for each in suggested.json()]


async def test_staff_change_products_and_customers_do_not(
    api: httpx.AsyncClient, staff: dict[str, str], customer: dict[str, str], product: str
) -> None:
    url = f"/api/v1/products/{product}"
    assert (await api.patch(url, json={"price": 1}, headers=customer)).status_code == 403
    changed = await api.patch(
        url, json={"price": 325, "categories": ["paper", "hearts"]}, headers={**staff, **WAIT}
    )
    assert changed.status_code == 200, changed.text
    assert (changed.json()["price"], changed.json()["categories"]) == (325, ["paper", "hearts"])
    empty = await api.patch(url, json={"categories": []}, headers={**staff, **WAIT})
    assert empty.json()["categories"] == []
    again = await api.post(
        "/api/v1/products", json={"sku": product, "name": "Again", "price": 1}, headers={**staff, **WAIT}
    )
    assert (again.status_code, again.json()["reason"]) == (409, "already_exists")
    deleted = await api.delete(url, headers={**staff, **WAIT})
    assert deleted.json()["active"] is False

    async def active() -> bool:
        return bool((await api.get(url)).json()["active"])

    await eventually_async(active, lambda value: not value)
    refused = await api.post("/api/v1/cart/items", json={"sku": product}, headers=WAIT)
    assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (422, "discontinued")


async def test_stock_is_received_once_per_receipt_and_never_below_zero(
    api: httpx.AsyncClient, staff: dict[str, str], product: str
) -> None:
    url = f"/api/v1/inventory/{product}"
    body = {"quantity": 5, "receipt_id": uuid.uuid4().hex}
    received = await api.post(f"{url}/receive", json=body, headers={**staff, **WAIT})
    assert (received.status_code, received.json()["available"]) == (200, 15)
    again = await api.post(f"{url}/receive", json=body, headers={**staff, **WAIT})
    assert (again.status_code, again.json()["available"]) == (200, 15), "at once, whatever the view has"
    below = await api.post(f"{url}/adjust", json={"delta": -16, "reason": "lost"}, headers={**staff, **WAIT})
    assert below.status_code in (409, 422), below.text
    zero = await api.post(f"{url}/adjust", json={"delta": 0, "reason": "lost"}, headers=staff)
    assert zero.json()["errors"][0]["field"] == "delta"

    async def level() -> dict[str, Any]:
        found: dict[str, Any] = (await api.get(url, headers=staff)).json()
        return found

    shown = await eventually_async(level, lambda found: found["available"] == 15)
    assert [movement["quantity"] for movement in shown["movements"]] == [5, 10]


async def test_lag_and_dead_letters_are_for_staff(
    api: httpx.AsyncClient, staff: dict[str, str], customer: dict[str, str]
) -> None:
    for path in ("/api/v1/ops/lag", "/api/v1/dead-letters"):
        assert (await api.get(path, headers=customer)).status_code == 403
        assert (await api.get(path, headers=staff)).status_code == 200
