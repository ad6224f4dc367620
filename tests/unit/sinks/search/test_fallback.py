"""A search whose engine is away: answered by the other, and not waited for each time."""

import asyncio
from typing import Any

import pytest

from sinks.search.backend import Facets, Query, Results, SearchUnavailableError, Suggestion
from sinks.search.fallback import FallbackSearch
from tests.eventually import eventually_async


class Backend:
    """Answers with `total` hits, hangs, or is away."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.asked = 0
        self.away = False
        self.hangs = False

    async def search(self, query: Query) -> Results:
        assert query.text
        await self._answer()
        return Results((), self.total, Facets((), ()))

    async def suggest(self, prefix: str, limit: int = 8) -> tuple[Suggestion, ...]:
        await self._answer()
        return (Suggestion(str(self.total), prefix),)[:limit]

    async def close(self) -> None:
        self.asked = -1

    async def _answer(self) -> None:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise SearchUnavailableError("away")


@pytest.fixture
def first() -> Backend:
    return Backend(1)


@pytest.fixture
def second() -> Backend:
    return Backend(2)


async def found(search: FallbackSearch) -> Any:
    return (await search.search(Query("lantern"))).total


async def test_the_first_is_asked_while_it_answers(first: Backend, second: Backend) -> None:
    search = FallbackSearch(first, second)
    assert await found(search) == 1
    assert [each.sku for each in await search.suggest("lan")] == ["1"]
    assert second.asked == 0


async def test_one_that_is_away_is_not_asked_each_time(first: Backend, second: Backend) -> None:
    first.away = True
    search = FallbackSearch(first, second)
    assert [await found(search) for _ in range(5)] == [2] * 5
    assert [each.sku for each in await search.suggest("lan")] == ["2"]
    assert (first.asked, second.asked) == (1, 6)


async def test_one_that_hangs_is_given_up(first: Backend, second: Backend) -> None:
    first.hangs = True
    search = FallbackSearch(first, second, patience_s=0.05)
    assert [await found(search) for _ in range(3)] == [2] * 3
    assert first.asked == 1


async def test_one_that_is_back_is_asked_again(first: Backend, second: Backend) -> None:
    first.away = True
    search = FallbackSearch(first, second, away_s=0.05)
    assert await found(search) == 2
    first.away = False
    await eventually_async(lambda: found(search), lambda total: total == 1)
    assert await found(search) == 1


async def test_where_neither_answers_it_is_told(first: Backend, second: Backend) -> None:
    first.away = second.away = True
    search = FallbackSearch(first, second)
    for _ in range(2):
        with pytest.raises(SearchUnavailableError):
            await search.search(Query("lantern"))


async def test_a_shopper_who_leaves_says_nothing_about_the_engine(first: Backend, second: Backend) -> None:
    first.hangs = True
    search = FallbackSearch(first, second)
    asking = asyncio.create_task(search.search(Query("lantern")))
    await eventually_async(lambda: asyncio.sleep(0, first.asked), lambda asked: asked == 1)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    first.hangs = False
    assert await found(search) == 1


async def test_both_are_closed(first: Backend, second: Backend) -> None:
    await FallbackSearch(first, second).close()
    assert (first.asked, second.asked) == (-1, -1)
