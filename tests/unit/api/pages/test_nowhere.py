"""A wrong link: a page for people, a problem document for programs."""

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
