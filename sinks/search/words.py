"""The words of a query."""

import re

from sinks.search.backend import MAX_TEXT

_WORD = re.compile(r"[^\W_]+")
MAX_WORDS = 20


def words(text: str) -> tuple[str, ...]:
    """Return the text's words in lower case; whatever is neither letter nor digit parts them."""
    return tuple(_WORD.findall(text[:MAX_TEXT].lower())[:MAX_WORDS])
