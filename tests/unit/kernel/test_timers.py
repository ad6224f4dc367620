from streams.kernel.timers import SPARE_ENTRIES, Timers, timer_record
from tests.topology.kernel.toy import FLOW, Count
from topics.registry import CART_DUE
from topics.wire import decode


def count(due_at: int | None) -> Count:
    return Count(1, 1, due_at)


def test_the_last_wish_of_a_key_counts() -> None:
    timers = Timers(FLOW)
    timers.update([(b"a", count(10)), (b"b", count(20)), (b"a", count(30))])
    assert timers.next_due() == 20
    assert list(timers.take(25)) == [(20, b"b")]
    assert timers.next_due() == 30
    timers.update([(b"a", count(None))])
    assert timers.next_due() is None


def test_a_deleted_state_wants_nothing() -> None:
    timers = Timers(FLOW)
    timers.update([(b"a", count(10))])
    timers.update([(b"a", None)])
    assert list(timers.take(100)) == []


def test_a_fired_timer_is_not_fired_again_for_the_same_wish() -> None:
    timers = Timers(FLOW)
    timers.update([(b"a", count(10))])
    assert list(timers.take(10)) == [(10, b"a")]
    timers.update([(b"a", count(10))])
    assert list(timers.take(10)) == []
    timers.update([(b"a", count(11))])
    assert list(timers.take(11)) == [(11, b"a")]


def test_what_could_not_be_sent_is_due_again_unless_the_wish_changed() -> None:
    timers = Timers(FLOW)
    timers.update([(b"a", count(10)), (b"b", count(10))])
    taken = list(timers.take(10))
    timers.update([(b"b", count(None))])
    timers.put_back(taken)
    assert list(timers.take(10)) == [(10, b"a")]


def test_wishes_that_were_taken_back_do_not_pile_up() -> None:
    timers = Timers(FLOW)
    for due in range(10 * SPARE_ENTRIES):
        timers.update([(b"a", count(due)), (b"b", count(due + 1))])
    assert len(timers._heap) <= SPARE_ENTRIES + 10
    last = 10 * SPARE_ENTRIES - 1
    assert list(timers.take(2 * last)) == [(last, b"a"), (last + 1, b"b")]


def test_the_record_is_the_same_for_the_same_wish() -> None:
    first = decode(CART_DUE, timer_record("toy", CART_DUE, 10, b"a", now=11).value or b"")
    again = decode(CART_DUE, timer_record("toy", CART_DUE, 10, b"a", now=99).value or b"")
    other = decode(CART_DUE, timer_record("toy", CART_DUE, 12, b"a", now=99).value or b"")
    assert first.event_id == again.event_id != other.event_id
    assert (first.data.due_at, first.aggregate_id, first.source) == (10, "a", "toy")
