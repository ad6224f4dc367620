"""A lane takes each record once and in order, by whichever way it comes first."""

from streams.kernel.intake import Handed, Intake

TOPIC, OTHER = "topic", "other"


def records(first: int, count: int, topic: str = TOPIC) -> list[Handed]:
    return [Handed(topic, 0, offset, b"k", b"v", ()) for offset in range(first, first + count)]


def offsets(taken: object) -> list[int]:
    assert isinstance(taken, list)
    return [record.offset for record in taken]


def test_what_follows_at_once_is_taken_from_hand_and_not_again_when_it_is_fetched() -> None:
    intake = Intake()
    assert offsets(intake.fetched(records(5, 2))) == [5, 6]
    assert intake.handed(TOPIC, 7, 2)
    assert intake.handed(TOPIC, 9, 1)
    assert offsets(intake.fetched(records(6, 3))) == []
    assert offsets(intake.fetched(records(8, 4))) == [10, 11]


def test_behind_somebody_elses_records_nothing_is_taken_from_hand_until_they_are_fetched() -> None:
    intake = Intake()
    intake.fetched(records(0, 1))
    assert not intake.handed(TOPIC, 2, 1), "who sent 1, and what it says, only the fetch tells"
    assert offsets(intake.fetched(records(1, 2))) == [1, 2]
    assert intake.handed(TOPIC, 3, 1)


def test_what_was_taken_or_has_no_known_offset_is_not_taken_from_hand() -> None:
    intake = Intake()
    intake.fetched(records(0, 3))
    assert not intake.handed(TOPIC, 2, 1)
    assert not intake.handed(TOPIC, -1, 1)


def test_it_is_told_where_a_fetch_begins_unless_it_has_come_further() -> None:
    intake = Intake()
    intake.begin(TOPIC, 4)
    assert intake.handed(TOPIC, 4, 2), "before anything was fetched"
    intake.begin(TOPIC, 4)
    assert offsets(intake.fetched(records(4, 3))) == [6]


def test_it_knows_what_a_fetch_has_brought_before_the_answer_came() -> None:
    intake = Intake()
    intake.fetched(records(3, 3))
    assert intake.has(TOPIC, 4, 2)
    assert not intake.has(TOPIC, 5, 2)
    assert not intake.has(TOPIC, -1, 1), "an offset that is not known"
    assert not intake.has(OTHER, 0, 1)


def test_the_first_records_of_each_topic_are_fetched() -> None:
    intake = Intake()
    intake.fetched(records(0, 3))
    assert not intake.handed(OTHER, 0, 1), "what it has applied before, a new lane does not know"
    assert offsets(intake.fetched(records(0, 1, OTHER))) == [0]


def test_offsets_that_are_not_there_any_more_are_no_reason_to_wait() -> None:
    intake = Intake()
    intake.fetched(records(0, 1))
    assert offsets(intake.fetched(records(7, 1))) == [7]
    assert intake.fetched([]) == []
