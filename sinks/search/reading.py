"""How a query is understood, for every back end alike: its terms, what else means them, what is unfinished.

"cake stand xmas" is read as the terms `cake`, `stand` and `xmas` (or `christmas`), and once more with `cake`
and `stand` written as one word. Only the last word may still be in the middle of being typed.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sinks.search.synonyms import LONGEST, Phrase, others

_JOINED_UP_TO = 6
"""Words of the longest query in which neighbours are also tried as one word."""


class Respell(Protocol):
    """Knows what else a word may be."""

    def __call__(self, word: str, *, unfinished: bool) -> Sequence[Phrase]:
        """Return other words, or two words that it was joined from."""
        ...


class Term(NamedTuple):
    """Words that belong together, phrases that would do as well, and whether the last word is unfinished."""

    typed: Phrase
    others: tuple[Phrase, ...] = ()
    unfinished: bool = False


Reading = tuple[Term, ...]
"""The terms of a query, all of which a product has."""


def _as_typed(word: str, *, unfinished: bool) -> Sequence[Phrase]:  # noqa: ARG001 (a `Respell`)
    return ()


def readings(typed: Sequence[str], respell: Respell = _as_typed) -> tuple[Reading, ...]:
    """Return the ways to read a query, the first as typed; a product that fits any of them is a hit."""
    joined = (
        (*typed[:at], typed[at] + typed[at + 1], *typed[at + 2 :])
        for at in range(len(typed) - 1)
        if len(typed) <= _JOINED_UP_TO
    )
    return tuple(_reading(each, respell) for each in (tuple(typed), *joined) if each)


def _reading(typed: Phrase, respell: Respell) -> Reading:
    terms = []
    at = 0
    while at < len(typed):
        for length in range(min(LONGEST, len(typed) - at), 0, -1):
            phrase = typed[at : at + length]
            same = others(phrase)
            if same or length == 1:
                last = at + length == len(typed)
                respelt = respell(phrase[0], unfinished=last) if length == 1 else ()
                terms.append(Term(phrase, (*same, *respelt), last))
                at += length
                break
    return tuple(terms)
