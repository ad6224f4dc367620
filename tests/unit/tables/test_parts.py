import pytest

from tables.parts import Parts


def test_a_change_leaves_the_parts_as_they_were() -> None:
    before = Parts(1, {"a": 1}.get)
    after = before.set("b", 2).set("a", 3)
    assert (len(before), before.get("a"), before.get("b")) == (1, 1, None)
    assert (len(after), after.get("a"), after.get("b")) == (2, 3, 2)
    assert dict(after.changed) == {"a": 3, "b": 2}
    assert not before.changed


def test_a_deleted_part_is_gone_and_may_come_again() -> None:
    gone = Parts(1, {"a": 1}.get).delete("a")
    assert (len(gone), gone.get("a"), dict(gone.changed)) == (0, None, {"a": None})
    with pytest.raises(KeyError, match="a"):
        gone.delete("a")
    assert (len(gone.set("a", 2)), gone.set("a", 2).get("a")) == (1, 2)


def test_settled_parts_are_read_from_where_they_were_written() -> None:
    settled = Parts[int]().set("a", 1).settled({"a": 9}.get)
    assert (len(settled), settled.get("a"), dict(settled.changed)) == (1, 9, {})


def test_parts_of_no_store_know_their_number_only() -> None:
    parts = Parts[int](2)
    assert len(parts) == 2
    with pytest.raises(LookupError, match="without its store"):
        parts.get("a")
    assert Parts[int]().get("a") is None


def test_equal_are_those_of_one_number_and_the_same_changes() -> None:
    assert Parts[int]().set("a", 1) == Parts[int]().set("a", 1)
    assert Parts[int]().set("a", 1) != Parts[int]().set("a", 2)
    assert Parts(1, {"a": 1}.get) == Parts(1, {"b": 1}.get)
    assert len({Parts[int](), Parts[int](), Parts[int](1)}) == 2
    assert Parts[int]() != 0
