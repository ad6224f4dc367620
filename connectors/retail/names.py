"""Turns the retailer's shouted descriptions into names for a shop's page."""

import re

_SMALL = frozenset({"A", "AN", "AND", "AT", "BY", "FOR", "IN", "OF", "ON", "OR", "THE", "TO", "WITH", "W"})
_KEEP = frozenset({"3D", "BBQ", "CD", "DVD", "LED", "TV", "UK", "USB", "VIP", "M.O.P", "II"})
_WORD_START = re.compile(r"(?:^|(?<=[-/(+,&\".]))[a-z]")


def display_name(description: str) -> str:
    """Return a description in title case; words that are not all upper case stay as they are written."""
    words = description.replace("*", " ").split()
    return " ".join(_word(word, first=index == 0) for index, word in enumerate(words)).rstrip(" .,")


def _word(word: str, *, first: bool) -> str:
    if word in _KEEP or word != word.upper():
        return word
    if word in _SMALL and not first:
        return word.lower()
    return _WORD_START.sub(lambda letter: letter[0].upper(), word.lower())
