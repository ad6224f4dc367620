"""What is the same for everybody may be kept, and is not sent again to who has it."""

import httpx
import pytest

from tests.unit.api.conftest import World
from tests.unit.api.fakes import product


@pytest.mark.parametrize(
    "path", ["/api/v1/products/A", "/api/v1/products", "/api/v1/search?q=a", "/api/v1/search/suggest?q=a"]
)
async def test_what_is_public_may_be_kept_and_is_told_once(client: httpx.AsyncClient, path: str) -> None:
    first = await client.get(path)
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "public, max-age=2")
    for has in (first.headers["ETag"], f'"other", W/{first.headers["ETag"]}', "*"):
        again = await client.get(path, headers={"If-None-Match": has})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Cache-Control"] == "public, max-age=2"
    other = await client.get(path, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


async def test_a_product_that_has_changed_is_told_anew(client: httpx.AsyncClient, world: World) -> None:
    first = await client.get("/api/v1/products/A")
    world.catalogue.known["A"] = product("A", available=9)
    second = await client.get("/api/v1/products/A", headers={"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.json()["available"]) == (200, 9)
    assert second.headers["ETag"] != first.headers["ETag"]


async def test_refusals_and_what_is_somebodys_are_not_kept(client: httpx.AsyncClient) -> None:
    for path in ("/api/v1/products/NONE", "/api/v1/cart", "/api/v1/products?limit=0"):
        assert (await client.get(path)).headers["Cache-Control"] == "no-store", path
