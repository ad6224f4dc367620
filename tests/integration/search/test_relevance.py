"""The search's quality on real servers: the judged queries over the real catalogue keep what they reach."""

import pytest

from tests.relevance.figures import ndcg, recall
from tests.relevance.judgements import judged
from tests.relevance.measure import ALL, Contest, measure, on_elasticsearch, on_postgres, table
from tests.relevance.shop import goods
from topics.settings import Settings

NDCG = 0.86
RECALL = 0.91
TIMES_PLAIN = 1.5
NO_KIND_BELOW = 0.7


async def hold(contest: Contest) -> None:
    ours, plain = await measure(contest.candidate), await measure(contest.baseline)
    print(f"\n{table({'ours': ours, 'plain': plain})}")  # noqa: T201 (what a change of the ranking is read by)
    assert ours[ALL].ndcg >= NDCG
    assert ours[ALL].recall >= RECALL
    assert ours[ALL].ndcg >= TIMES_PLAIN * plain[ALL].ndcg
    assert min(figures.ndcg for figures in ours.values()) >= NO_KIND_BELOW


@pytest.mark.usefixtures("postgres")
async def test_postgresql_ranks_as_a_shopper_would(settings: Settings) -> None:
    async with on_postgres(settings) as contest:
        await hold(contest)


async def test_elasticsearch_ranks_as_a_shopper_would(elasticsearch: str) -> None:
    async with on_elasticsearch(elasticsearch) as contest:
        await hold(contest)


def test_every_query_wants_something_and_the_best_ranking_is_perfect() -> None:
    queries = judged(goods())
    assert len(queries) >= 60
    for query in queries:
        best = sorted(query.grades, key=lambda sku: -query.grades[sku])
        assert (ndcg(best, query.grades), recall(best, query.grades)) == (1, 1), query.text
        assert (ndcg([], query.grades), recall([], query.grades)) == (0, 0)


def test_a_better_order_is_worth_more() -> None:
    grades = {"a": 3, "b": 2, "c": 1}
    assert ndcg(["a", "b", "c"], grades) == 1
    assert ndcg(["b", "a"], grades) == pytest.approx((3 + 7 / 1.58496) / (7 + 3 / 1.58496 + 1 / 2), abs=1e-4)
    assert ndcg(["x"] * 10 + ["a"], grades) == 0
    assert recall(["b", "c"], grades) == 0.5
