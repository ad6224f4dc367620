"""What sums up a ranking: nDCG@10 and recall@10, means over judged queries.

nDCG: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20 (2002), with
the gain 2^grade - 1 and the discount log2(rank + 1) of Burges et al., "Learning to rank using gradient
descent", ICML 2005.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

DEPTH = 10
_RELEVANT = 2


def ndcg(ranked: Sequence[str], grades: Mapping[str, int]) -> float:
    """Return the ranking's discounted gain in its first ten places, as a share of the best one's."""
    best = _gain(sorted(grades.values(), reverse=True))
    return _gain([grades.get(sku, 0) for sku in ranked]) / best


def recall(ranked: Sequence[str], grades: Mapping[str, int]) -> float:
    """Return the share of what is wanted (grade 2 and up) in the first ten places.

    Where more than ten products are wanted, ten are all that fit: the share is of those (capped recall).
    """
    wanted = {sku for sku, grade in grades.items() if grade >= _RELEVANT}
    return len(wanted.intersection(ranked[:DEPTH])) / min(DEPTH, len(wanted))


def mean(values: Iterable[float]) -> float:
    """Return the arithmetic mean, the way that figures of queries are summed up."""
    every = list(values)
    return sum(every) / len(every)


def _gain(grades: Sequence[int]) -> float:
    return sum(((1 << grade) - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades[:DEPTH], start=1))
