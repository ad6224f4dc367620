"""When canaries were served, and how long they were not. Pure: times are seconds of one clock."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

Lane = tuple[str, str]
"""A canary and which of its kind: `("cart", "2")` is the cart command on partition 2."""


@dataclass(frozen=True)
class Served:
    """One canary that was served."""

    began: float
    ended: float


class Timeline:
    """The served canaries of every lane, in the order of their end."""

    def __init__(self, lanes: Iterable[Lane]) -> None:
        self.lanes = tuple(lanes)
        self._served: dict[Lane, list[Served]] = defaultdict(list)
        self.failed: dict[str, int] = defaultdict(int)

    @property
    def canaries(self) -> tuple[str, ...]:
        """Return the kinds of canaries."""
        return tuple(dict.fromkeys(canary for canary, _ in self.lanes))

    def served(self, lane: Lane, began: float, ended: float) -> None:
        """Note a canary that was served."""
        self._served[lane].append(Served(began, ended))

    def count(self, canary: str) -> int:
        """Return how often a kind was served."""
        return sum(len(self._served[lane]) for lane in self.lanes if lane[0] == canary)

    def waiting(self, since: float) -> list[Lane]:
        """Return the lanes in which no canary that began since then has been served yet."""
        return [
            lane for lane in self.lanes if not any(one.began >= since for one in self._served[lane][-50:])
        ]

    def longest_gap(self, canary: str, start: float, end: float) -> float:
        """Return the longest time in [start, end] without a served canary, in any lane of the kind."""
        return max((self._gap(lane, start, end) for lane in self.lanes if lane[0] == canary), default=0.0)

    def _gap(self, lane: Lane, start: float, end: float) -> float:
        ends = [one.ended for one in self._served[lane] if start < one.ended <= end]
        moments = [start, *ends, end]
        return max(after - before for before, after in pairwise(moments))
