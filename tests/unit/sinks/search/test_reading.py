import pytest

from sinks.search.reading import Term, readings
from sinks.search.synonyms import others, singular
from sinks.search.vocabulary import Vocabulary

NAMES = Vocabulary(
    {"lantern": 18, "lanterns": 2, "tea": 51, "tree": 52, "ten": 1, "cake": 81, "stand": 32, "cakestand": 3}
    | {"strawberry": 22, "strawbery": 2, "christmas": 131, "chocolate": 25, "white": 144}
)


def test_only_the_last_word_may_still_be_typed() -> None:
    (read, *_) = readings(("white", "lant"))
    assert [(term.typed, term.unfinished) for term in read] == [(("white",), False), (("lant",), True)]


def test_what_means_the_same_is_a_term_with_it() -> None:
    (read,) = readings(("xmas",))
    assert read == (Term(("xmas",), (("christmas",),), unfinished=True),)
    (read, *_) = readings(("tea", "lights", "red"))
    assert read[0].typed == ("tea", "lights")
    assert ("t", "light") in read[0].others
    assert read[1] == Term(("red",), (), unfinished=True)


def test_neighbours_are_also_read_as_one_word() -> None:
    assert [tuple(term.typed for term in read) for read in readings(("note", "book", "red"))] == [
        (("note",), ("book",), ("red",)),
        (("notebook",), ("red",)),
        (("note",), ("bookred",)),
    ]


def test_a_long_query_is_read_in_one_way() -> None:
    assert len(readings(tuple("abcdefg"))) == 1


@pytest.mark.parametrize(
    ("word", "one"),
    [("cakes", "cake"), ("doilies", "doily"), ("glass", "glass"), ("s", "s"), ("ties", "tie")],
)
def test_a_plural_is_looked_up_as_its_singular(word: str, one: str) -> None:
    assert singular(word) == one


def test_a_synonym_is_found_from_each_of_its_group() -> None:
    assert ("jewellery",) in others(("jewelry",))
    assert ("jewelry",) in others(("jewellery",))
    assert others(("zeppelin",)) == ()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("lantren", ["lantern"]),
        ("latern", ["lantern"]),
        ("chritsmas", ["christmas"]),
        ("choclate", ["chocolate"]),
        ("tee", ["tree", "tea", "ten"]),
        ("te", []),
        ("antern", []),
        ("zeppelin", []),
    ],
)
def test_a_misspelt_word_is_the_nearest_ones_the_commonest_first(typed: str, meant: list[str]) -> None:
    assert list(NAMES.nearest(typed, unfinished=False)) == meant


def test_of_a_word_that_is_being_typed_the_beginning_is_compared() -> None:
    assert NAMES.nearest("chirst", unfinished=True) == ["christmas"]
    assert NAMES.nearest("chirst", unfinished=False) == []


def test_a_word_is_taken_apart_where_both_halves_are_known() -> None:
    assert NAMES.split("cakestand") == ("cake", "stand")
    assert NAMES.split("lanternfish") is None


def test_a_typo_that_the_catalogue_has_as_well_finds_what_is_meant() -> None:
    ((term,),) = NAMES.readings(("strawbery",), tolerant=False)
    assert term.others == (("strawberry",),)
    ((term,),) = NAMES.readings(("strawberry",), tolerant=False)
    assert term.others == ()


def test_without_words_nothing_is_read() -> None:
    assert NAMES.readings((), tolerant=True) == ()
