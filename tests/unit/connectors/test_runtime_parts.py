from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from connectors.runtime.backoff import LONGEST_S, delay
from connectors.runtime.pending import Pending
from connectors.runtime.record import Record


def records(*offsets: int) -> list[Record]:
    return [Record("t", 0, offset, 0, None, None) for offset in offsets]


ONE, TWO = TopicPartition("t", 1), TopicPartition("t", 2)


def test_pending_commits_the_offset_after_the_last_record() -> None:
    pending = Pending()
    assert not pending
    pending.add(ONE, records(3, 4))
    pending.add(TWO, records(9))
    pending.add(ONE, records(5, 8))
    assert [each.offset for each in pending.records()] == [3, 4, 5, 8, 9]
    assert pending.offsets() == {ONE: 9, TWO: 10}
    pending.clear()
    assert not pending


def test_pending_forgets_what_is_no_longer_ours() -> None:
    pending = Pending()
    pending.add(ONE, records(3))
    pending.add(TWO, records(9))
    pending.keep({TWO})
    assert pending.offsets() == {TWO: 10}
    pending.forget([ONE, TWO])
    assert not pending


@given(st.integers(1, 10_000))
def test_a_delay_grows_to_its_limit_and_is_never_nothing(attempt: int) -> None:
    assert 0.1 < delay(attempt) <= LONGEST_S


def test_a_delay_doubles() -> None:
    assert delay(1) <= 0.2
    assert 0.64 <= delay(3) <= 0.8
    assert delay(7) >= 0.8 * LONGEST_S


def test_headers_are_text_whatever_their_bytes() -> None:
    record = Record("t", 0, 0, 0, None, None, (("a", b"1"), ("b", b"\xff"), ("a", b"2")))
    assert record.own_headers == {"a": "2", "b": "\N{REPLACEMENT CHARACTER}"}
