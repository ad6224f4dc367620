from sinks.search.backend import Facets, Query, Results, Suggestion
from sinks.search.tolerance import TolerantSearch


class Engine:
    """Finds nothing as typed; misspelt, what it has learnt."""

    def __init__(self) -> None:
        self.asked: list[bool] = []
        self.learnt = 0
        self.news = False

    async def search(self, query: Query, *, tolerant: bool) -> Results:
        assert query.text
        self.asked.append(tolerant)
        return Results((), int(tolerant and self.learnt > 0), Facets((), ()))

    async def suggest(self, prefix: str, limit: int, *, tolerant: bool) -> tuple[Suggestion, ...]:
        self.asked.append(tolerant)
        return (Suggestion("A", prefix),)[: limit * tolerant]

    async def learn(self) -> bool:
        if self.news:
            self.learnt += 1
        return self.news

    async def close(self) -> None:
        return None


async def test_a_misspelt_new_word_is_learnt_when_nothing_is_found() -> None:
    engine = Engine()
    engine.news = True
    found = await TolerantSearch(engine).search(Query(text="lantrn"))
    assert engine.asked == [False, True, True]
    assert (found.total, found.approximate) == (1, True)


async def test_where_there_is_nothing_to_learn_nothing_is_nothing() -> None:
    engine = Engine()
    found = await TolerantSearch(engine).search(Query(text="lantrn"))
    assert engine.asked == [False, True]
    assert (found.total, found.approximate) == (0, False)


async def test_suggestions_are_tolerant_only_where_there_are_none() -> None:
    engine = Engine()
    assert await TolerantSearch(engine).suggest("lantrn") == (Suggestion("A", "lantrn"),)
    assert engine.asked == [False, True]
    assert await TolerantSearch(engine).suggest("  ") == ()
