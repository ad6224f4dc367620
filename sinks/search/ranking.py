"""What makes one hit better than another: the weights that both back ends add up.

A hit's score is how well its name fits, how often it was sold, and whether it can be bought now. By the
judged queries (docs/search.md), sales say more about equals than any statistics of their words.
"""

AS_TYPED = 3.0
"""The name has all words as they were typed (a SKU counts as name)."""

IN_NAME = 2.0
"""The name has all words, or others that mean the same."""

POPULAR = 0.3
"""Times ln(1 + pieces sold)."""

BEGUN = 1.0
"""The name has all words, the last one as a beginning."""

AVAILABLE = 1.0
"""At least one piece can be reserved now."""
