"""What a share of some values keeps to."""

from collections.abc import Iterable


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that this share keeps to (the nearest rank); 0 where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
