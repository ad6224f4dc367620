"""The words that product names have, and which of them a misspelt word may have meant."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

from sinks.search.reading import Reading, readings
from sinks.search.synonyms import Phrase
from sinks.search.tolerance import TWO_EDITS_FROM, UNTOUCHED, edits

VOCABULARY_S = 30.0
"""How old it may be: a product's new word is found as typed at once, and misspelt after this."""

LEARNT_S = 1.0
"""How old it may be where a search finds nothing by it."""

_MOST = 8
"""Words that are tried in place of one."""

_SHORTEST_HALF = 3
"""Letters of a word that is looked for as half of another: "red" is not "re d"."""

_COMMON = 10
"""A neighbour that so many times more products have is meant, too: the catalogue has typos of its own."""


class Vocabulary:
    """Words with the number of products that have them."""

    def __init__(self, counts: Mapping[str, int] | None = None) -> None:
        self._counts = dict(counts or {})
        self._words = sorted(self._counts)

    def readings(self, typed: Sequence[str], *, tolerant: bool) -> tuple[Reading, ...]:
        """Return the ways to read a query; with `tolerant`, its words may be misspelt."""

        def respell(word: str, *, unfinished: bool) -> Sequence[Phrase]:
            near = self.nearest(word, unfinished=unfinished) if tolerant else self._commoner(word)
            split = self.split(word)
            return [*([split] if split else []), *((each,) for each in near if each != word)]

        return readings(typed, respell) if typed else ()

    def split(self, word: str) -> Phrase | None:
        """Return the likeliest two words that make up `word` when they are written together."""
        pairs = [
            (word[:at], word[at:])
            for at in range(_SHORTEST_HALF, len(word) - _SHORTEST_HALF + 1)
            if word[:at] in self._counts and word[at:] in self._counts
        ]
        return max(pairs, key=lambda pair: min(self._counts[part] for part in pair), default=None)

    def nearest(self, word: str, *, unfinished: bool) -> Sequence[str]:
        """Return the words with the fewest letters wrong, by falling number of products.

        Of a word that is unfinished, the beginnings of words count as well. None are returned where more
        letters than `edits` allows are wrong.
        """
        allowed = edits(word)
        if not allowed:
            return ()
        nearby = self._beginning_with(word[:UNTOUCHED])
        found = process.extract(word, nearby, scorer=OSA.distance, score_cutoff=allowed, limit=None)
        distances = {known: int(distance) for known, distance, _ in found}
        if unfinished:
            cut = [known[: len(word)] for known in nearby]
            for _, distance, at in process.extract(
                word, cut, scorer=OSA.distance, score_cutoff=allowed, limit=None
            ):
                distances[nearby[at]] = min(int(distance), distances.get(nearby[at], allowed))
        least = min(distances.values(), default=0)
        best = [known for known, distance in distances.items() if distance == least]
        return sorted(best, key=lambda known: (-self._counts[known], known))[:_MOST]

    def _commoner(self, word: str) -> Sequence[str]:
        count = self._counts.get(word)
        if count is None or len(word) < TWO_EDITS_FROM:
            return ()
        found = process.extract(
            word, self._beginning_with(word[:UNTOUCHED]), scorer=OSA.distance, score_cutoff=1, limit=None
        )
        return [known for known, _, _ in found if self._counts[known] >= _COMMON * count]

    def _beginning_with(self, letters: str) -> Sequence[str]:
        return self._words[
            bisect_left(self._words, letters) : bisect_left(self._words, f"{letters}\U0010ffff")
        ]
