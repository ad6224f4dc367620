"""The words of a query."""

import re
import unicodedata

from sinks.search.backend import MAX_TEXT

_WORD = re.compile(r"[^\W_]+")
MAX_WORDS = 20

GLUE = frozenset({"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"})
"""Words that say nothing about a product where others do."""


def words(text: str) -> tuple[str, ...]:
    """Return the text's words, lower case and without accents; what is neither letter nor digit parts them.

    Glue is left out, unless there is nothing else.
    """
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text[:MAX_TEXT].lower())
        if not unicodedata.combining(letter)
    )
    found = _WORD.findall(plain)
    return tuple([word for word in found if word not in GLUE] or found)[:MAX_WORDS]
