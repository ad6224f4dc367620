"""The store on a real RocksDB."""

import gc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import rocksdict

from streams.kernel.layout import FAUST_OFFSET, WRITTEN, is_state
from streams.kernel.rocks_store import RocksStore


def opened(path: Path) -> Any:
    database = rocksdict.Rdict(str(path), options=rocksdict.Options(raw_mode=True))
    return SimpleNamespace(_db_for_partition=lambda partition: {3: database}[partition], database=database)


@pytest.fixture
def faust_store(tmp_path: Path) -> Iterator[Any]:
    store = opened(tmp_path / "db")
    yield store
    store.database.close()


def test_entries_and_offset_are_written_together_and_survive(faust_store: Any, tmp_path: Path) -> None:
    store = RocksStore(faust_store, 3)
    assert (store.offset(), store.written_at(), store.get(b"a")) == (None, 0, None)
    store.write([(b"a", b"1"), (b"b", b"2")], 7)
    store.write([(b"a", None), (b"b", b"3")], None)
    assert (store.get(b"a"), store.get(b"b"), store.offset()) == (None, b"3", 7)
    assert store.written_at() > 0
    faust_store.database.close()
    faust_store.database = None
    gc.collect()
    again = opened(tmp_path / "db")
    assert RocksStore(again, 3).get(b"b") == b"3"
    faust_store.database = again.database


def test_states_are_told_from_the_kernel_s_own_keys(faust_store: Any) -> None:
    store = RocksStore(faust_store, 3)
    store.write([(b"a", b"1")], 1)
    assert {key for key, _ in store.items()} == {b"a", FAUST_OFFSET, WRITTEN}
    assert [key for key, _ in store.items() if is_state(key)] == [b"a"]


def test_a_cleared_store_is_empty(faust_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.kernel.rocks_store._CLEARED_AT_ONCE", 10)
    store = RocksStore(faust_store, 3)
    store.write([(f"k{index}".encode(), b"1") for index in range(25)], 1)
    store.clear()
    assert list(store.items()) == []
    assert store.offset() is None
