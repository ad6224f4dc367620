"""What no route serves: a page for people, a problem document for programs."""

import httpx
import pytest

from api.problems import MEDIA_TYPE

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_a_person_is_shown_the_way_back(client: httpx.AsyncClient) -> None:
    answer = await client.get("/serach", headers=BROWSER)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "There is nothing here" in answer.text


@pytest.mark.parametrize("path", ["/api/v1/serach", "/serach"])
async def test_a_program_is_told_what_is_wrong(client: httpx.AsyncClient, path: str) -> None:
    headers = BROWSER if path.startswith("/api/") else {"Accept": "*/*"}
    answer = await client.get(path, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)
    assert answer.json()["detail"] == f"nothing is at {path}"


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/?q=a%00b", b"", 400),
        ("GET", "/products/%00", b"", 400),
        ("POST", "/login", b"email=a%00@example.com&password=x", 400),
        ("POST", "/login", b"email=a\0&password=x", 400),
        ("POST", "/login", b"&".join([b"a=1"] * 1_100), 422),
        ("POST", "/login", b"a=" + b"a" * 70_000, 413),
        ("GET", "/?" + "a=1&" * 101, b"", 400),
        ("DELETE", "/cart", b"", 405),
    ],
)
async def test_what_no_route_is_asked_about_is_told_alike(
    client: httpx.AsyncClient, method: str, path: str, body: bytes, status: int
) -> None:
    shown = await client.request(method, path, content=body, headers={**BROWSER, **FORM})
    assert (shown.status_code, shown.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "To the shop" in shown.text
    assert "NUL" not in shown.text
    told = await client.request(method, path, content=body, headers=FORM)
    assert (told.status_code, told.headers["content-type"]) == (status, MEDIA_TYPE)
    assert shown.headers.get("Allow") == told.headers.get("Allow")
    assert (shown.headers["Cache-Control"], told.headers["Cache-Control"]) == ("no-store", "no-store")
