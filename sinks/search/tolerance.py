"""When a misspelt word still counts: the rule that both back ends follow.

A search first takes the words as typed, each as a word or the beginning of one. Only where that finds nothing
it is repeated with tolerance, so that a correct search is not diluted by its neighbours.
"""

UNTOUCHED = 1
"""Letters at a word's beginning that must be right."""

ONE_EDIT_FROM = 3
TWO_EDITS_FROM = 5


def edits(word: str) -> int:
    """Return how many letters may be wrong, missing or too many in a word."""
    if len(word) < ONE_EDIT_FROM:
        return 0
    return 1 if len(word) < TWO_EDITS_FROM else 2
