import dataclasses

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from connectors.runtime.backoff import LONGEST_S, delay
from connectors.runtime.pending import Pending
from connectors.runtime.projection import Projected, Projection, RawProjection
from connectors.runtime.record import Record
from connectors.runtime.routes import Routes
from connectors.runtime.sizing import Limits, Sizing
from schemas.codec import UndecodableError
from schemas.order import OrderSnapshot
from tests.odd_records import ODD
from topics.registry import ORDER_PLACED
from topics.skips import SkippedError
from topics.topic import RawTopic


def records(partition: int, *offsets: int) -> list[Record]:
    return [Record("t", partition, offset, 1_000 + offset, None, b"xy") for offset in offsets]


ONE, TWO = TopicPartition("t", 1), TopicPartition("t", 2)


def fill(pending: Pending[str], given: list[Record], version: int = 0) -> None:
    for each in given:
        pending.read(
            each, Projected((f"row {each.offset}",), "a", version or each.offset, lambda m: (m,), "state")
        )


def rows(pending: Pending[str]) -> list[tuple[str, ...]]:
    return [pending.rows_of(became) for _, became in pending.held()]


def test_pending_commits_the_offset_after_the_last_record() -> None:
    pending: Pending[str] = Pending()
    assert not pending
    fill(pending, records(1, 3, 4))
    pending.refuse(Record("t", 2, 9, 0, None, None), "bad", ValueError())
    fill(pending, records(1, 5, 8))
    assert [each.offset for each, _ in pending.held()] == [3, 4, 5, 8]
    assert pending.offsets() == {ONE: 9, TWO: 10}
    assert (pending.records, pending.size, pending.oldest()) == (5, 8, 1_003)


def test_pending_knows_ends_that_lie_behind_the_last_record() -> None:
    pending: Pending[str] = Pending()
    pending.ended({TWO: 12})
    assert pending
    assert (pending.held(), pending.offsets()) == ([], {TWO: 12})


def test_only_the_newest_version_of_an_aggregate_becomes_its_state() -> None:
    pending: Pending[str] = Pending()
    fill(pending, records(1, 3, 7, 5))
    assert rows(pending) == [("row 3",), ("state", "row 7"), ("row 5",)]


def test_pending_forgets_what_is_no_longer_ours() -> None:
    pending: Pending[str] = Pending()
    fill(pending, records(1, 3))
    fill(pending, records(2, 9))
    pending.refuse(Record("t", 2, 10, 0, None, None), "bad", ValueError())
    pending.forget([TWO])
    assert pending.offsets() == {ONE: 4}
    assert rows(pending) == [("state", "row 3")], "what is left is the newest again"
    assert pending.refused() == []
    pending.forget([ONE, TWO])
    assert not pending


@given(st.lists(st.tuples(st.integers(1, 10_000), st.floats(0.001, 10)), max_size=20))
def test_a_batch_is_never_larger_than_its_limit_nor_empty(writes: list[tuple[int, float]]) -> None:
    sizing = Sizing(Limits(records=3_000))
    for count, seconds in writes:
        sizing.wrote(count, seconds)
        assert 50 <= sizing.records <= 3_000


def test_a_batch_grows_with_a_fast_server_and_shrinks_with_a_slow_one() -> None:
    sizing = Sizing(Limits())
    sizing.wrote(1_000, 0.1)
    assert sizing.records == 2_000
    sizing.wrote(10, 2.0)
    assert sizing.records == 2_000, "a small batch tells nothing"
    sizing.wrote(2_000, 4.0)
    assert sizing.records == 1_000
    sizing.failed()
    assert sizing.records == 500


def test_a_tombstone_is_what_its_projection_says() -> None:
    gone = Record(ORDER_PLACED.name, 0, 7, 0, b"key", None, (("version", b"9"),))
    plain: Projection[OrderSnapshot, str] = Projection(ORDER_PLACED, lambda _: ("row",), ("orders",))
    for each in (plain.rows, plain.projected):
        with pytest.raises(UndecodableError, match="no value"):
            each(gone)
    deleting = dataclasses.replace(
        plain, tombstone=lambda record: (f"end at {record.own_headers['version']}",)
    )
    assert deleting.rows(gone) == ("end at 9",)
    assert deleting.projected(gone) == Projected(("end at 9",))


def test_topics_are_routed_by_name_before_pattern() -> None:
    def projection(name: str) -> RawProjection[str]:
        return RawProjection(RawTopic(name), lambda record: (record.topic,), ())

    exact, pattern = projection("a.b"), projection(r"^a\..*")
    routes = Routes([exact, pattern])
    assert routes.topics == ["^a\\..*", "a.b"]
    assert (routes.of("a.b"), routes.of("a.c")) == (exact, pattern)
    with pytest.raises(LookupError, match=r"no projection reads x\.y"):
        routes.of("x.y")
    with pytest.raises(ValueError, match="two projections"):
        Routes([exact, exact])


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


def test_a_record_that_is_to_be_left_is_a_letter_and_the_rest_stays_in_hand() -> None:
    pending: Pending[str] = Pending()
    fill(pending, records(1, 3, 4, 5))
    left = SkippedError("skipped by ann: it breaks the server")
    pending.leave(lambda record: left if record.offset == 5 else None)
    assert [each.offset for each, _ in pending.held()] == [3, 4]
    assert rows(pending) == [("row 3",), ("state", "row 4")]
    ((record, reason, error),) = pending.refused()
    assert (record.offset, reason, error) == (5, "skipped", left)
    assert pending.offsets() == {ONE: 6}


@pytest.mark.parametrize("name", ODD)
def test_every_odd_record_is_taken_in_hand_or_refused(name: str) -> None:
    odd = ODD[name]
    key, value = odd.of(b"key", b"\x00junk")
    pending: Pending[str] = Pending()
    routes: Routes[str] = Routes([Projection(ORDER_PLACED, lambda _: ("row",), ("t",))])
    pending.take(Record(ORDER_PLACED.name, 1, 7, odd.timestamp or 0, key, value, odd.headers), routes)
    ((record, reason, _),) = pending.refused()
    assert (record.offset, reason) == (7, "undecodable")
    assert pending.offsets() == {TopicPartition(ORDER_PLACED.name, 1): 8}
    assert all(isinstance(text, str) for text in record.own_headers.values())
