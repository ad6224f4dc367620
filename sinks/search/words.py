"""The words of a text: one form for what is searched and for what is asked, whatever the back end.

A product's texts are folded where its views are written, a query's where it is read, both here. So the same
word is found however it was put in: ligatures, full-width letters, superscripts and fractions are written out
(NFKC), case goes, invisible characters (soft hyphens, joiners) go, and so do accents, Arabic hamza and vowel
points, which people leave out. What makes another letter in its script stays: dakuten, the marks of Hindi,
the syllables of Korean.
"""

import re
import unicodedata
from collections.abc import Iterable

from sinks.search.backend import MAX_TEXT

MAX_WORDS = 20

GLUE = frozenset({"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"})
"""Words that say nothing about a product where others do."""

# Accents of Latin, Greek and Cyrillic; points of Hebrew and Arabic, hamza among them; the Arabic stretch;
# what encloses or chooses the form of the character before.
_LEFT_OUT = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8]"
)
# Letters that no decomposition takes apart, and that are typed without their stroke all the same.
_STROKES = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ħ": "h",
        "ŧ": "t",
        "\u0131": "i",
    }
)
_ASCII_WORD = re.compile("[a-z0-9]+")


def folded(text: str) -> str:
    """Return the text's words in the form in which they are compared, with a space between each two."""
    if text.isascii():
        return " ".join(_ASCII_WORD.findall(text.lower()))
    # "1½" has two numbers, which written out without a space would be another one.
    parted = "".join(f" {each}" if _is_fraction(each) else each for each in text)
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", parted).casefold())
    plain = unicodedata.normalize("NFC", _LEFT_OUT.sub("", plain.translate(_STROKES)))
    words = "".join(map(_letter, plain)).split()
    return " ".join(word for word in words if any(map(str.isalnum, word)))


def words(text: str) -> tuple[str, ...]:
    """Return a query's words, folded; what is neither letter nor digit parts them.

    Glue is left out, unless there is nothing else.
    """
    found = folded(text[:MAX_TEXT]).split()
    return tuple([word for word in found if word not in GLUE] or found)[:MAX_WORDS]


def folded_product(name: str, categories: Iterable[str], description: str) -> list[str]:
    """Return what a product is found by, folded: its name, its categories, its description."""
    return [folded(name), folded(" ".join(categories)), folded(description)]


def blank(text: str) -> bool:
    """Tell whether nothing that can be seen was typed: that asks for everything, a "%" for nothing."""
    return all(each.isspace() or unicodedata.category(each) in ("Cf", "Cc") for each in text)


def _is_fraction(letter: str) -> bool:
    return unicodedata.decomposition(letter).startswith("<fraction>")


def _letter(each: str) -> str:
    """Return a character as a part of a word: a digit as 0 to 9, nothing that is invisible, or a space."""
    kind = unicodedata.category(each)
    if kind == "Nd":
        return str(unicodedata.decimal(each))
    if kind == "Cf":
        return ""
    return each if kind[0] in "LMN" else " "
