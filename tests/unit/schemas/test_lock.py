from pathlib import Path

import pytest

from schemas.lock import Lock, LockError

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
