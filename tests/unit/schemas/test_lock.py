from pathlib import Path

import pytest

from schemas.lock import Foreign, Lock, LockError

SCHEMA = {"type": "record", "name": "A", "namespace": "n", "fields": []}


def test_ids_are_given_once_and_found_again(tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    first, second = lock.append("a.b", SCHEMA), lock.append("a.c", SCHEMA)
    third = lock.append("a.b", {**SCHEMA, "doc": "more"})
    assert [entry.id for entry in (first, second, third)] == [1, 2, 3]
    again = Lock(tmp_path)
    assert again.latest("a.b") == third
    assert again.schema(again.by_id[1]) == SCHEMA
    assert [entry.version for entry in again.by_subject["a.b-value"]] == [1, 2]


def test_a_committed_version_must_not_change(tmp_path: Path) -> None:
    entry = Lock(tmp_path).append("a.b", SCHEMA)
    lock = Lock(tmp_path)
    lock.file_of(entry).write_text("{}")
    with pytest.raises(LockError, match="committed versions never change"):
        lock.schema(entry)


def test_a_removed_line_is_noticed(tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    lock.append("a.b", SCHEMA)
    lock.append("a.c", SCHEMA)
    lock.path.write_text("".join(lock.path.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(LockError, match="id 2 stands where 1 must"):
        Lock(tmp_path)


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "registry.lock").write_text("one two\n")
    with pytest.raises(LockError, match="not 'id subject version checksum'"):
        Lock(tmp_path)


def test_a_topic_without_a_schema_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="ecommerce schemas update"):
        Lock(tmp_path).latest("a.b")


def test_an_id_of_another_release_is_asked_for_once_and_changes_nothing_that_is_written(
    tmp_path: Path,
) -> None:
    lock = Lock(tmp_path)
    lock.append("a.b", SCHEMA)
    with pytest.raises(KeyError):
        lock.by_id[2]
    asked: list[int] = []

    def source(schema_id: int) -> Foreign | None:
        asked.append(schema_id)
        return Foreign("a.b-value", 2, {"type": "string"}) if schema_id == 2 else None

    lock.source = source
    for _ in range(2):
        entry = lock.by_id[2]
        assert (entry.topic, entry.version, lock.schema(entry)) == ("a.b", 2, {"type": "string"})
    with pytest.raises(KeyError):
        lock.by_id[3]
    assert asked == [2, 3]
    assert lock.latest("a.b").id == 1
