from pathlib import Path

import pytest

from deploy.errors import CommandError
from deploy.records.record import Record
from deploy.records.recording import read_recording, write_recording

RECORDS = [
    Record("a", 0, 7, 1_000, b"k", b"v", (("h", b"1"), ("h", b"2"), ("null", None))),
    Record("b", 3, 9, 2_000, None, None),
]


def test_gives_back_what_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "recorded.avro"
    with path.open("wb") as file:
        write_recording(file, RECORDS)
    assert list(read_recording(path)) == RECORDS


@pytest.mark.parametrize("content", [b"", b"no Avro at all", b"Obj\x01 broken"])
def test_says_what_is_no_recording(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.avro"
    path.write_bytes(content)
    with pytest.raises(CommandError, match="not a recorded topic"):
        list(read_recording(path))


def test_says_where_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        list(read_recording(tmp_path / "absent.avro"))


def test_a_record_gives_its_last_header_as_text() -> None:
    assert RECORDS[0].header("h") == "2"
    assert RECORDS[0].header("null") is None
    assert RECORDS[0].header("absent") is None
