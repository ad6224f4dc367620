"""The id that a commit carries, also where the client tells more than was committed."""

import pytest

from topics.identity import changed, mark, marked, stale

ID = "Gq3a_dTAQ5-2bJHkUtmZ1w"


@pytest.mark.parametrize("behind", ["", "ÿ", "garbage;more"])
def test_a_mark_is_read_up_to_its_end(behind: str) -> None:
    assert marked(mark(ID) + behind) == ID


@pytest.mark.parametrize("text", [None, "", "by hand", "topic=", f"topic={ID}"])
def test_what_is_no_mark_tells_nothing(text: str | None) -> None:
    assert marked(text) is None
    assert mark(None) == ""


def test_only_another_id_makes_a_commit_stale() -> None:
    commits = {("a", 0): "1", ("a", 1): "2", ("a", 2): None, ("gone", 0): "9"}
    assert stale({"a": "2"}, commits) == {("a", 0)}
    assert changed({"a": "1", "b": "1", "gone": "1"}, {"a": "2", "b": "1", "new": "1"}) == ["a"]
