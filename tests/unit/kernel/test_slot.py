from pathlib import Path

import pytest

from streams.kernel.slot import SlotTakenError, claim


def test_each_worker_gets_the_lowest_free_index_and_its_own_directory(tmp_path: Path) -> None:
    first, second = claim(tmp_path), claim(tmp_path)
    assert (first.index, second.index) == (0, 1)
    assert first.directory != second.directory
    first.release()
    again = claim(tmp_path)
    assert again.index == 0
    again.release()
    second.release()


def test_an_index_that_is_asked_for_and_taken_is_refused_by_name(tmp_path: Path) -> None:
    slot = claim(tmp_path, 3)
    with pytest.raises(SlotTakenError, match="worker index 3 is in use"):
        claim(tmp_path, 3)
    slot.release()
