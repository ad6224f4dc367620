"""What aiokafka's fetcher is made to read, and what that relies on."""

import inspect

import aiokafka.consumer.fetcher as fetching
import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from tests.odd_records import Bytes, batch_builder
from topics.header_names import ReadableRecords, read_any_header_name
from topics.header_values import UNREADABLE, headers_of


def batch(*names: str, compression: int = 0) -> bytes:
    builder = batch_builder(compression)
    for offset, name in enumerate(names):
        builder.append(offset, timestamp=5, key=b"k", value=b"v", headers=[(name, b"\xff"), ("null", None)])
    return bytes(builder.build())


@pytest.mark.parametrize("compression", [0, 1])
def test_a_name_that_is_not_utf8_is_shown_escaped_and_all_else_is_as_it_was(compression: int) -> None:
    odd = batch("a", Bytes(b"\xff\xfe"), "b", compression=compression)
    records = ReadableRecords(batch("before") + odd + batch("after"))
    read = []
    while records.has_next():
        following = records.next_batch()
        assert following.validate_crc()
        read += [(record.key, record.value, record.headers) for record in following]
    names = ["before", "a", r"\xff\xfe", "b", "after"]
    assert read == [(b"k", b"v", [(name, b"\xff"), ("null", None)]) for name in names]


def test_the_fetcher_reads_by_what_it_has_in_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "MemoryRecords(part_data[-1])" in inspect.getsource(fetching.Fetcher)
    monkeypatch.setattr(fetching, "MemoryRecords", fetching.MemoryRecords)
    read_any_header_name()
    assert fetching.MemoryRecords is ReadableRecords


def test_the_writers_of_records_know_headers_without_values() -> None:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1_000,
    )
    builder.append(0, timestamp=5, key=None, value=None, headers=[("null", None)])
    (record,) = ReadableRecords(bytes(builder.build())).next_batch()
    assert record.headers == [("null", None)]


def test_librdkafkas_client_cannot_give_such_names() -> None:
    class Message:
        def headers(self) -> None:
            b"\xff".decode()

    ((name, why),) = headers_of(Message())
    assert name == UNREADABLE
    assert b"0xff" in (why or b"")
