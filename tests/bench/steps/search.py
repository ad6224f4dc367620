"""The search's quality: nDCG@10 over the judged queries, against the plain query of each server."""

import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.step import Case, Measure, Options, Sample, Step
from tests.relevance.measure import ALL, Contest, Ranked, measure, on_elasticsearch, on_postgres
from tests.stack import Stack


def _measure(ranked: Ranked) -> Measure:
    async def sample() -> Sample:
        found = await measure(ranked)
        kinds = {f"{kind} nDCG": figures.ndcg for kind, figures in found.items() if kind != ALL}
        return Sample(found[ALL].ndcg, {"recall@10": found[ALL].recall, **kinds})

    return sample


def _case(name: str, contest: Contest, plain: str) -> Case:
    return Case(
        name,
        "nDCG@10",
        candidate=_measure(contest.candidate),
        baselines={plain: _measure(contest.baseline)},
        goals={plain: 1.5},
        rounds=1,
    )


@contextmanager
def _servers() -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="ecommerce-bench-", ignore_cleanup_errors=True) as directory:
        # Servers that run as others than root have to get through.
        Path(directory).chmod(0o755)
        stack = Stack(Path(directory))
        try:
            yield stack
        finally:
            stack.close()


async def cases(_options: Options) -> AsyncGenerator[Case, None]:
    """Yield a case per search server; a ranking has no noise, so one round tells all."""
    with _servers() as stack:
        settings = stack.settings.model_copy(update={"postgres": stack.fresh_database()})
        async with on_postgres(settings) as contest:
            yield _case("postgresql", contest, "tsquery")
        async with on_elasticsearch(stack.elasticsearch_url()) as contest:
            yield _case("elasticsearch", contest, "match")


STEP = Step("search", "113 judged queries over the real catalogue", cases)
