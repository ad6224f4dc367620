import httpx
import pytest

from sinks.search.backend import Facets, Hit, Query, Results, Suggestion
from tests.unit.api.fakes import FakeSearch


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Query]:
    """Return what the search is asked; it finds one lantern, spelt nearly so."""
    asked: list[Query] = []

    async def search(_self: FakeSearch, query: Query) -> Results:
        asked.append(query)
        if query.text == "zeppelin":
            return Results((), 0, Facets((), ()))
        hit = Hit("71053", "Lantern", "", ("Lighting",), 339, "GBP", 3, "<mark>Lantern</mark>")
        return Results((hit,), 1, Facets((), ()), approximate=query.text == "lantrn")

    async def suggest(_self: FakeSearch, prefix: str, limit: int = 8) -> tuple[Suggestion, ...]:
        return (Suggestion("A", f"<{prefix}>"),)[:limit]

    monkeypatch.setattr(FakeSearch, "search", search)
    monkeypatch.setattr(FakeSearch, "suggest", suggest)
    return asked


async def test_without_words_the_bestsellers_come_first(
    client: httpx.AsyncClient, asked: list[Query]
) -> None:
    page = (await client.get("/")).text
    assert asked[0].sort == "relevance"
    assert '<option value="relevance" selected>Bestsellers</option>' in page
    assert "nearly" not in page


async def test_a_misspelt_search_says_so(client: httpx.AsyncClient, asked: list[Query]) -> None:
    assert "none is spelt so, these nearly are" in (await client.get("/", params={"q": "lantrn"})).text
    assert "nearly" not in (await client.get("/", params={"q": "lantern"})).text
    assert [query.text for query in asked] == ["lantrn", "lantern"]


async def test_where_nothing_is_found_there_is_a_way_on(
    client: httpx.AsyncClient, asked: list[Query]
) -> None:
    page = (await client.get("/", params={"q": "zeppelin"})).text
    assert "Nothing found" in page
    assert "<legend>Category</legend>" not in page
    assert asked[0].text == "zeppelin"


@pytest.mark.usefixtures("asked")
async def test_suggestions_are_safe_html(client: httpx.AsyncClient) -> None:
    assert (await client.get("/suggestions", params={"q": "b"})).text == '<option value="&lt;b&gt;">'
