import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.search import requests, statements
from sinks.search.backend import MAX_LIMIT, MAX_TEXT, MAX_WINDOW, Filters, Query, Sort
from sinks.search.marks import BRACKETS, CLOSE, OPEN, marked
from sinks.search.tolerance import edits
from sinks.search.vocabulary import Vocabulary
from sinks.search.words import MAX_WORDS, blank, folded, words

CATALOGUE = Vocabulary({"lantern": 18, "zzz": 2})


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": MAX_LIMIT + 1}, "limit"),
        ({"offset": -1}, "offset"),
        ({"offset": MAX_WINDOW, "limit": 1}, "offset"),
    ],
)
def test_a_page_out_of_range_is_refused(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}: "):
        Query(**arguments)


@given(st.text(max_size=400))
def test_words_are_plain(text: str) -> None:
    found = words(text)
    assert len(found) <= MAX_WORDS
    assert all(word.isalnum() or not word.isascii() for word in found)
    assert sum(map(len, found)) <= 3 * MAX_TEXT


def test_words_part_at_whatever_is_no_letter() -> None:
    assert words(" T-Light: 50's_HEART\x00 ") == ("t", "light", "50", "s", "heart")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("½ pint", "1/2 PINT"),
        ("1½", "1 1/2"),
        ("m²", "M2"),
        ("dampf\u00adschiff", "dampfschiff"),
        ("إبريق", "ابريق"),
        ("کتاب\u200cها", "کتابها"),
        ("カ\u3099ラス", "ガラス"),
        ("ガ", "ガ"),
        ("파란", unicodedata.normalize("NFD", "파란")),
        ("मिट्टी", unicodedata.normalize("NFD", "मिट्टी")),
        ("ЇЖАЧОК", "їжачок"),
        ("IŞIK", "ışık"),
        ("İnci", "inci"),
        ("Ｆｕｌｌ", "full"),
        ("STRASSE", "straße"),
        ("١٢", "12"),
        ("K\u20e3", "k"),
    ],
)
def test_a_word_is_the_same_however_it_is_put_in(one: str, other: str) -> None:
    assert words(one) == words(other) != ()


def test_what_makes_another_letter_in_its_script_stays() -> None:
    assert words("ガ") != words("カ")
    assert words("की") != words("क")
    assert words("파") == ("파",)


@given(st.text(max_size=100))
def test_folded_words_are_folded_as_they_are(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize("text", ["%", "'", "-", "\U0001f600", "\u0301", "\U0001f469\u200d\U0001f680"])
def test_what_is_no_word_is_not_blank_either(text: str) -> None:
    assert words(text) == ()
    assert not blank(text)


@pytest.mark.parametrize("text", ["", " \t", "\u200b", "\x00"])
def test_what_cannot_be_seen_is_blank(text: str) -> None:
    assert blank(text)


def test_words_lose_their_accents_and_what_says_nothing() -> None:
    assert words("The Café de la Crème") == ("cafe", "de", "la", "creme")
    assert words("of the") == ("of", "the"), "unless nothing else is asked"


@pytest.mark.parametrize(("word", "allowed"), [("ab", 0), ("abc", 1), ("abcd", 1), ("abcde", 2)])
def test_longer_words_may_have_more_wrong_letters(word: str, allowed: int) -> None:
    assert edits(word) == allowed


def test_marks_become_safe_html() -> None:
    name = f"{OPEN}A{CLOSE} & {BRACKETS[0]}b{BRACKETS[1]} <i>"
    assert marked(name) == "<mark>A</mark> &amp; &lt;b&gt; &lt;i&gt;"


@given(text=st.text(max_size=60), sort=st.sampled_from(Sort), tolerant=st.booleans())
def test_what_is_typed_never_becomes_part_of_a_statement(text: str, sort: Sort, *, tolerant: bool) -> None:
    query = Query(text=f"zzz{text}zzz", filters=Filters(categories=(text,), price_from=7), sort=sort)
    read = CATALOGUE.readings(words(query.text), tolerant=tolerant)
    for made in (statements.page(query, read), statements.suggestions(read, 8)):
        assert "zzz" not in made.sql
        placeholders = {int(number) for number in re.findall(r"\$(\d+)", made.sql)}
        assert placeholders == set(range(1, len(made.values) + 1))


def test_a_facet_leaves_its_own_filter_out() -> None:
    query = Query(filters=Filters(categories=("a",), price_from=1, in_stock=True))
    body = requests.search_body(query, ())
    stock = {"range": {"available": {"gt": 0}}}
    price = {"range": {"price": {"gte": 1}}}
    category = {"terms": {"categories": ["a"]}}
    assert body["post_filter"]["bool"]["filter"] == [category, price, stock]
    assert body["aggs"]["categories"]["filter"]["bool"]["filter"] == [price, stock]
    assert body["aggs"]["prices"]["filter"]["bool"]["filter"] == [category, stock]
